import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '../../clock.ts';
import { at, configMap, deployment, refused, testRegistry } from '../registry/testing.ts';
import { admissionPlugins } from './index.ts';

const HOOKS = 'admissionregistration.k8s.io';
const policies = (resource: string) => ({ group: HOOKS, version: 'v1', resource });
const DEPLOYMENTS = { ...at('deployments'), group: 'apps' };

function cluster() {
  const clock = fakeClock();
  const parts = testRegistry({ admission: admissionPlugins({ clock, network: () => undefined }) });
  const add = async (kind: 'Validating' | 'Mutating', name: string, spec: object, binding: object = {}) => {
    const plural = `${kind.toLowerCase()}admissionpolic`;
    await parts.create(policies(`${plural}ies`), {
      apiVersion: `${HOOKS}/v1`,
      kind: `${kind}AdmissionPolicy`,
      metadata: { name },
      spec: {
        matchConstraints: {
          resourceRules: [
            {
              apiGroups: ['', 'apps'],
              apiVersions: ['v1'],
              operations: ['CREATE', 'UPDATE'],
              resources: ['configmaps', 'deployments'],
            },
          ],
        },
        ...(kind === 'Mutating' ? { reinvocationPolicy: 'Never' } : {}),
        ...spec,
      },
    });
    await parts.create(policies(`${plural}ybindings`), {
      apiVersion: `${HOOKS}/v1`,
      kind: `${kind}AdmissionPolicyBinding`,
      metadata: { name: `${name}-binding` },
      spec: {
        policyName: name,
        ...(kind === 'Validating' ? { validationActions: ['Deny'] } : {}),
        ...binding,
      },
    });
  };
  return { ...parts, add };
}

const configuring = (expression: string) => ({
  mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }],
});
const patching = (expression: string) => ({
  mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression } }],
});

test('an apply configuration is merged into the object, which then has its defaults', async () => {
  const { add, create } = cluster();
  await add(
    'Mutating',
    'sidecar',
    configuring(`Object{
      metadata: Object.metadata{labels: {"by": request.userInfo.username}},
      spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{
        containers: [Object.spec.template.spec.containers{name: "proxy", image: "busybox:1.36"}]
      }}}
    }`),
  );
  const made = await create(DEPLOYMENTS, deployment('web'));
  assert.deepEqual(made.metadata.labels, { by: 'tester' });
  const containers = made.spec.template.spec.containers;
  assert.deepEqual(
    containers.map((c: { name: string }) => c.name),
    ['c', 'proxy'],
  );
  assert.equal(containers[1].imagePullPolicy, 'IfNotPresent');
  const owners = made.metadata.managedFields?.map(entry => entry.manager);
  assert.deepEqual(owners, ['test'], 'a policy owns nothing');
});

test('mutations see what those before them did, and JSON patches may test first', async () => {
  const { add, create } = cluster();
  await add('Mutating', 'two', {
    mutations: [
      ...patching(
        '[JSONPatch{op: "add", path: "/metadata/annotations/" + jsonpatch.escapeKey("a/b"), value: string(size(object.data))}]',
      ).mutations,
      ...configuring('Object{data: {"seen": object.metadata.annotations["a/b"]}}').mutations,
      ...patching(
        '[JSONPatch{op: "test", path: "/data/seen", value: "no"}, JSONPatch{op: "remove", path: "/data/seen"}]',
      ).mutations,
    ],
  });
  const { data } = await create(at('configmaps'), configMap('a', { x: '1' }, { annotations: { y: 'z' } }));
  assert.deepEqual(data, { x: '1', seen: '1' });
});

test('a mutation that goes wrong refuses the request, or is passed over', async () => {
  const say = async (mutation: object, message: string, object: object = configMap('a')) => {
    const strict = cluster();
    await strict.add('Mutating', 'p', mutation);
    const path = 'spec' in object ? DEPLOYMENTS : at('configmaps');
    await assert.rejects(
      strict.create(path, object),
      refused(403, `policy 'p' with binding 'p-binding' denied request: ${message}`),
    );
    const lax = cluster();
    await lax.add('Mutating', 'p', { ...mutation, failurePolicy: 'Ignore' });
    await lax.create(path, object);
  };
  await say(
    configuring('Object{data: {"a": object.nope}}'),
    `expression 'Object{data: {"a": object.nope}}' resulted in error: no such key: nope`,
  );
  await say(
    configuring('Object{metadata: Object.wrong{name: "x"}}'),
    'type mismatch: unexpected type name "Object.wrong", expected "Object.metadata", which matches field name path from root Object type',
  );
  await say(
    configuring(
      'Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{tolerations: []}}}}',
    ),
    'error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.template.spec.tolerations',
    deployment('web'),
  );
});

test('a policy that asks for it is invoked again after later ones changed the object, once', async () => {
  const counting = (key: string) =>
    configuring(
      `Object{data: {"${key}": string(int(object.data[?"${key}"].orValue("0")) + 1), "by-${key}": "x"}}`,
    );
  const { add, create } = cluster();
  await add('Mutating', 'a-again', { ...counting('again'), reinvocationPolicy: 'IfNeeded' });
  await add('Mutating', 'b-once', counting('once'));
  const { data } = await create(at('configmaps'), configMap('a', { x: '1' }));
  assert.deepEqual(data, { x: '1', again: '2', 'by-again': 'x', once: '1', 'by-once': 'x' });
});

test('parameters come from the object a binding names; without it the binding says what happens', async () => {
  const { add, create } = cluster();
  await add(
    'Mutating',
    'p',
    {
      ...configuring('Object{data: {"team": params.data.team}}'),
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    },
    { paramRef: { name: 'team', namespace: 'default', parameterNotFoundAction: 'Deny' } },
  );
  await assert.rejects(
    create(at('configmaps'), configMap('a')),
    refused(
      403,
      "policy 'p' with binding 'p-binding' denied request: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction",
    ),
  );
  const allowing = cluster();
  await allowing.create(at('configmaps'), configMap('team', { team: 'blue' }));
  await allowing.add(
    'Mutating',
    'p',
    {
      ...configuring('Object{data: {"team": params.data.team}}'),
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    },
    { paramRef: { name: 'team', namespace: 'default', parameterNotFoundAction: 'Allow' } },
  );
  assert.deepEqual((await allowing.create(at('configmaps'), configMap('a'))).data, { team: 'blue' });
});

test('match conditions choose, and variables are computed from each other', async () => {
  const { add, create } = cluster();
  await add('Mutating', 'p', {
    matchConditions: [{ name: 'not-b', expression: 'object.metadata.name != "b"' }],
    variables: [
      { name: 'base', expression: 'object.metadata.name' },
      { name: 'long', expression: 'variables.base + variables.base' },
    ],
    ...configuring('Object{data: {"long": variables.long}}'),
  });
  assert.deepEqual((await create(at('configmaps'), configMap('a'))).data, { long: 'aa' });
  assert.equal((await create(at('configmaps'), configMap('b', { x: '1' }))).data.long, undefined);
});

test('a validating policy with parameters says which were missing, unless failures are ignored', async () => {
  const spec = {
    paramKind: { apiVersion: 'example.com/v1', kind: 'Limit' },
    validations: [{ expression: 'params != null' }],
  };
  const strict = cluster();
  await strict.add('Validating', 'p', spec, { paramRef: { name: 'x', parameterNotFoundAction: 'Deny' } });
  await assert.rejects(
    strict.create(at('configmaps'), configMap('a')),
    refused(
      422,
      `configmaps "a" is forbidden: ValidatingAdmissionPolicy 'p' denied request: failed to configure policy: failed to find resource referenced by paramKind: 'example.com/v1, Kind=Limit'`,
    ),
  );
  const lax = cluster();
  await lax.add(
    'Validating',
    'p',
    { ...spec, failurePolicy: 'Ignore' },
    { paramRef: { name: 'x', parameterNotFoundAction: 'Deny' } },
  );
  await lax.create(at('configmaps'), configMap('a'));
});

test('all validations warn before the first of them denies; messages may be computed', async () => {
  const { add, registry, context, warnings } = cluster();
  await add(
    'Validating',
    'p',
    {
      variables: [{ name: 'n', expression: 'object.metadata.name' }],
      validations: [
        { expression: 'false', messageExpression: '"name is " + variables.n', message: 'plain' },
        { expression: 'false', messageExpression: '"two\\nlines"', message: 'plain' },
        { expression: 'variables.n == "x"' },
      ],
    },
    { validationActions: ['Warn', 'Audit'] },
  );
  await add('Validating', 'q', { validations: [{ expression: 'false', reason: 'Forbidden' }] });
  await assert.rejects(
    registry.create(context(), at('configmaps'), { value: configMap('a') }),
    refused(
      403,
      `configmaps "a" is forbidden: ValidatingAdmissionPolicy 'q' with binding 'q-binding' denied request: failed expression: false`,
    ),
  );
  const by = "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'p-binding': ";
  assert.deepEqual(warnings, [`${by}name is a`, `${by}plain`, `${by}failed expression: variables.n == "x"`]);
});

test('an audit annotation that fails refuses, and one that is text or null does not', async () => {
  const annotating = async (valueExpression: string) => {
    const { add, create } = cluster();
    await add('Validating', 'p', { auditAnnotations: [{ key: 'k', valueExpression }] });
    return create(at('configmaps'), configMap('a'));
  };
  await annotating('"x"');
  await annotating('null');
  await assert.rejects(
    annotating('string(object.nope)'),
    refused(
      422,
      `configmaps "a" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'p-binding' denied request: expression 'string(object.nope)' resulted in error: no such key: nope`,
    ),
  );
});

test('a variable that cannot be computed fails whoever uses it, and nobody else', async () => {
  const { add, create } = cluster();
  await add('Validating', 'p', {
    variables: [{ name: 'bad', expression: 'object.nope' }],
    validations: [{ expression: 'true' }, { expression: 'variables.bad == 1' }],
  });
  await assert.rejects(
    create(at('configmaps'), configMap('a')),
    refused(
      422,
      `configmaps "a" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'p-binding' denied request: expression 'variables.bad == 1' resulted in error: composited variable "bad" fails to evaluate: no such key: nope`,
    ),
  );
});

test('an expression may ask what the user, or an account, may do', async () => {
  const { add, create } = cluster();
  await add('Validating', 'p', {
    validations: [
      {
        expression:
          'authorizer.requestResource.check("create").allowed() && authorizer.group("").resource("pods").namespace("x").check("list").allowed() && authorizer.path("/healthz").check("get").allowed()',
      },
    ],
  });
  await create(at('configmaps'), configMap('a'));
});
