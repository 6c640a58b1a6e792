import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '../../clock.ts';
import { DialError, type Network, serveHttp, streamPair } from '../network/index.ts';
import { at, configMap, pod, refused, testRegistry } from '../registry/testing.ts';
import { admissionPlugins } from './index.ts';

const inGroup = (group: string, resource: string, name?: string) => ({
  group,
  version: 'v1',
  resource,
  ...(name ? { name } : {}),
});
const HOOKS = 'admissionregistration.k8s.io';
const NAMESPACE = { group: '', version: 'v1', resource: 'namespaces', name: 'default' };

async function admitting(network?: Network) {
  const clock = fakeClock();
  const parts = testRegistry({ admission: admissionPlugins({ clock, network: () => network }) });
  await parts.create(at('serviceaccounts'), {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default' },
  });
  return parts;
}

/** A cluster network in which one host answers admission reviews. */
function networkOf(answer: (review: Record<string, unknown>) => object): Network {
  return {
    lookup: () => [],
    async dial(host, port) {
      if (host !== 'hook.default.svc.cluster.local')
        throw new DialError('connection refused', `${host}:${port}`);
      const [client, server] = streamPair();
      serveHttp(
        server,
        async request => {
          const review = JSON.parse(Buffer.from(request.body).toString()) as { request: { uid: string } };
          const response = { uid: review.request.uid, ...answer(review.request as Record<string, unknown>) };
          return {
            status: 200,
            body: JSON.stringify({ kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', response }),
          };
        },
        () => 0,
      );
      return client;
    },
  };
}

const webhook = (kind: string, overrides: object = {}) => ({
  apiVersion: `${HOOKS}/v1`,
  kind,
  metadata: { name: 'w' },
  webhooks: [
    {
      name: 'w.example.com',
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      clientConfig: { service: { name: 'hook', namespace: 'default', path: '/v' } },
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
      ...overrides,
    },
  ],
});

async function withService(parts: Awaited<ReturnType<typeof admitting>>, ready: boolean) {
  await parts.create(at('services'), {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'hook' },
    spec: { ports: [{ port: 443 }] },
  });
  if (!ready) return;
  await parts.create(
    { ...at('endpointslices'), group: 'discovery.k8s.io' },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'hook-1', labels: { 'kubernetes.io/service-name': 'hook' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.244.0.9'], conditions: { ready: true } }],
      ports: [{ port: 8443 }],
    },
  );
}

test('a pod gets its account, token, tolerations and priority', async () => {
  const { create } = await admitting();
  const { spec } = await create(at('pods'), pod('p'));
  assert.equal(spec.serviceAccountName, 'default');
  assert.equal(spec.priority, 0);
  assert.equal(spec.preemptionPolicy, 'PreemptLowerPriority');
  const [volume] = spec.volumes;
  assert.match(volume.name, /^kube-api-access-[a-z0-9]{5}$/);
  assert.deepEqual(spec.containers[0].volumeMounts, [
    { mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', name: volume.name, readOnly: true },
  ]);
  assert.deepEqual(
    spec.tolerations.map((t: { key: string; tolerationSeconds: number }) => [t.key, t.tolerationSeconds]),
    [
      ['node.kubernetes.io/not-ready', 300],
      ['node.kubernetes.io/unreachable', 300],
    ],
  );
});

test('a missing account or class refuses the pod, by its prefix when it has no name yet', async () => {
  const { create } = await admitting();
  const generated = { ...pod('x', { serviceAccountName: 'nope' }), metadata: { generateName: 'web-' } };
  await assert.rejects(
    create(at('pods'), generated),
    refused(
      403,
      'pods "web-" is forbidden: error looking up service account default/nope: serviceaccount "nope" not found',
    ),
  );
  await assert.rejects(
    create(at('pods'), pod('p', { priorityClassName: 'gone' })),
    refused(403, 'pods "p" is forbidden: no PriorityClass with name gone was found'),
  );
});

test('nothing new comes into an ending namespace, and the system namespaces stay', async () => {
  const { create, registry, context } = await admitting();
  await registry.delete(context(), { ...NAMESPACE, name: 'other' }, {});
  await assert.rejects(
    create({ ...at('configmaps'), namespace: 'other' }, configMap('late')),
    refused(
      403,
      'configmaps "late" is forbidden: unable to create new content in namespace other because it is being terminated',
    ),
  );
  await assert.rejects(
    registry.delete(context(), NAMESPACE, {}),
    refused(403, 'namespaces "default" is forbidden: this namespace may not be deleted'),
  );
});

test('a limit range fills in and bounds', async () => {
  const { create } = await admitting();
  await create(at('limitranges'), {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: 'lr' },
    spec: {
      limits: [
        {
          type: 'Container',
          default: { cpu: '500m', memory: '256Mi' },
          defaultRequest: { cpu: '100m', memory: '256Mi' },
          max: { memory: '512Mi' },
          min: { cpu: '50m' },
        },
      ],
    },
  });
  const filled = await create(at('pods'), pod('filled'));
  assert.deepEqual(filled.spec.containers[0].resources, {
    limits: { cpu: '500m', memory: '256Mi' },
    requests: { cpu: '100m', memory: '256Mi' },
  });
  assert.equal(
    filled.metadata.annotations?.['kubernetes.io/limit-ranger'],
    'LimitRanger plugin set: cpu, memory request for container c; cpu, memory limit for container c',
  );
  const resources = { limits: { memory: '1Gi' }, requests: { cpu: '10m' } };
  await assert.rejects(
    create(at('pods'), pod('big', { containers: [{ name: 'c', image: 'b', resources }] })),
    refused(
      403,
      'pods "big" is forbidden: [minimum cpu usage per Container is 50m, but request is 10m, maximum memory usage per Container is 512Mi, but limit is 1Gi]',
    ),
  );
});

test('a quota counts what is there and wants to be told what is asked', async () => {
  const { create } = await admitting();
  const sized = (name: string) =>
    pod(name, { containers: [{ name: 'c', image: 'b', resources: { requests: { cpu: '600m' } } }] });
  await create(at('resourcequotas'), {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'q' },
    spec: { hard: { pods: '2', 'requests.cpu': '1' } },
  });
  await assert.rejects(
    create(at('pods'), pod('over')),
    refused(403, 'pods "over" is forbidden: failed quota: q: must specify requests.cpu for: c'),
  );
  await create(at('pods'), sized('one'));
  await assert.rejects(
    create(at('pods'), sized('two')),
    refused(
      403,
      'pods "two" is forbidden: exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1',
    ),
  );
});

test('pod security refuses pods, warns of templates and says who breaks a new level', async () => {
  const { create, patch, warnings } = await admitting();
  await create(at('pods'), pod('old'));
  await patch(NAMESPACE, 'merge', {
    metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  });
  assert.deepEqual(warnings, [
    'existing pods in namespace "default" violate the new PodSecurity enforce level "restricted:latest"',
    'old: allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile',
  ]);
  await assert.rejects(
    create(at('pods'), pod('p')),
    refused(
      403,
      'pods "p" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ),
  );
  await patch(NAMESPACE, 'merge', {
    metadata: {
      labels: { 'pod-security.kubernetes.io/enforce': null, 'pod-security.kubernetes.io/warn': 'baseline' },
    },
  });
  await create(at('pods'), pod('host', { hostNetwork: true }));
  assert.deepEqual(warnings, [
    'would violate PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
  ]);
});

test('a webhook that cannot be reached fails the write, or is ignored when it says so', async () => {
  const parts = await admitting();
  const call =
    'Internal error occurred: failed calling webhook "w.example.com": failed to call webhook: Post "https://hook.default.svc:443/v?timeout=10s": ';
  const path = inGroup(HOOKS, 'validatingwebhookconfigurations');
  await parts.create(path, webhook('ValidatingWebhookConfiguration'));
  await assert.rejects(
    parts.create(at('configmaps'), configMap('a')),
    refused(500, `${call}service "hook" not found`),
  );
  await withService(parts, false);
  await assert.rejects(
    parts.create(at('configmaps'), configMap('a')),
    refused(500, `${call}no endpoints available for service "hook"`),
  );
  await parts.patch({ ...path, name: 'w' }, 'json', [
    { op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Ignore' },
  ]);
  assert.ok(await parts.create(at('configmaps'), configMap('a')));
});

test('a webhook changes, warns and refuses', async () => {
  const parts = await admitting(
    networkOf(request => {
      const { name } = request as { name: string };
      if (name === 'bad') return { allowed: false, status: { message: 'not this one', code: 403 } };
      const patch = [{ op: 'add', path: '/data/seen', value: 'yes' }];
      return {
        allowed: true,
        warnings: ['watch out'],
        patchType: 'JSONPatch',
        patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
      };
    }),
  );
  await withService(parts, true);
  await parts.create(
    inGroup(HOOKS, 'mutatingwebhookconfigurations'),
    webhook('MutatingWebhookConfiguration'),
  );
  const made = await parts.create(at('configmaps'), configMap('good', { a: 'b' }));
  assert.deepEqual(made.data, { a: 'b', seen: 'yes' });
  assert.deepEqual(parts.warnings, ['watch out']);
  await assert.rejects(
    parts.create(at('configmaps'), configMap('bad')),
    refused(403, 'admission webhook "w.example.com" denied the request: not this one'),
  );
});

test('a webhook sees only what its rules and selectors name', async () => {
  let calls = 0;
  const parts = await admitting(
    networkOf(() => {
      calls++;
      return { allowed: true };
    }),
  );
  await withService(parts, true);
  const selector = { objectSelector: { matchLabels: { ask: 'yes' } } };
  await parts.create(
    inGroup(HOOKS, 'validatingwebhookconfigurations'),
    webhook('ValidatingWebhookConfiguration', selector),
  );
  await parts.create(at('configmaps'), configMap('silent'));
  await parts.patch(at('configmaps', 'silent'), 'merge', { metadata: { labels: { ask: 'yes' } } });
  assert.equal(calls, 0);
  await parts.create(at('configmaps'), configMap('asked', {}, { labels: { ask: 'yes' } }));
  assert.equal(calls, 1);
});

test('a policy denies by CEL once a binding puts it in force', async () => {
  const { create } = await admitting();
  await create(inGroup(HOOKS, 'validatingadmissionpolicies'), {
    apiVersion: `${HOOKS}/v1`,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'p' },
    spec: {
      matchConstraints: {
        resourceRules: [
          { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] },
        ],
      },
      variables: [{ name: 'short', expression: 'size(object.metadata.name) < 4' }],
      validations: [
        { expression: 'object.metadata.name.startsWith("ok")', message: 'name must start with ok' },
        { expression: 'variables.short' },
      ],
    },
  });
  assert.ok(await create(at('configmaps'), configMap('free')));
  await create(inGroup(HOOKS, 'validatingadmissionpolicybindings'), {
    apiVersion: `${HOOKS}/v1`,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'pb' },
    spec: { policyName: 'p', validationActions: ['Deny'] },
  });
  const denied = (why: string) =>
    `is forbidden: ValidatingAdmissionPolicy 'p' with binding 'pb' denied request: ${why}`;
  await assert.rejects(
    create(at('configmaps'), configMap('nope')),
    refused(422, `configmaps "nope" ${denied('name must start with ok')}`),
  );
  await assert.rejects(
    create(at('configmaps'), configMap('ok-but-long')),
    refused(422, `configmaps "ok-but-long" ${denied('failed expression: variables.short')}`),
  );
  assert.ok(await create(at('configmaps'), configMap('ok')));
});
