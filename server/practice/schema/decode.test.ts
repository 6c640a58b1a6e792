import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StatusError } from '../../kube/index.ts';
import { decode, pruneUnknown, schemaFor, tryDecode } from './index.ts';

const core = (kind: string) => {
  const schema = schemaFor({ group: '', version: 'v1', kind });
  assert.ok(schema, kind);
  return schema;
};
const deployment = () => {
  const schema = schemaFor({ group: 'apps', version: 'v1', kind: 'Deployment' });
  assert.ok(schema);
  return schema;
};
const pod = (container: object) => ({ spec: { containers: [container] } });

test('type errors come in the words of encoding/json', () => {
  const cases: [unknown, ReturnType<typeof core>, string][] = [
    [
      pod({ command: 'sh' }),
      core('Pod'),
      'json: cannot unmarshal string into Go struct field Container.spec.containers.command of type []string',
    ],
    [
      { spec: { replicas: 'two' } },
      deployment(),
      'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      { data: { k: 5 } },
      core('ConfigMap'),
      'json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
    ],
    [{ data: { k: 'not base64!' } }, core('Secret'), 'illegal base64 data at input byte 3'],
    [
      pod({ resources: { requests: { cpu: 'abc' } } }),
      core('Pod'),
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    [
      pod({ ports: [{ containerPort: 1.5 }] }),
      core('Pod'),
      'json: cannot unmarshal number 1.5 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32',
    ],
    [
      { spec: 'x' },
      core('Pod'),
      'json: cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec',
    ],
    [
      { metadata: { creationTimestamp: 'yesterday' } },
      core('Pod'),
      'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"',
    ],
    [[], core('Pod'), 'json: cannot unmarshal array into Go value of type v1.Pod'],
  ];
  for (const [value, schema, words] of cases) assert.equal(tryDecode(value, schema).error, words);
});

test('a body that does not fit is a 400 that names kind and version', () => {
  assert.throws(
    () => decode({ data: [] }, core('ConfigMap'), { kind: 'ConfigMap', version: 'v1' }),
    (error: unknown) =>
      error instanceof StatusError &&
      error.code === 400 &&
      error.message ===
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal array into Go struct field ConfigMap.data of type map[string]string',
  );
});

test('unknown fields are dropped and named with their place', () => {
  const { value, unknown } = tryDecode(
    { bad: 1, metadata: { name: 'a', x: {} }, spec: { containers: [{ name: 'a', foo: 1 }] } },
    core('Pod'),
  );
  assert.deepEqual(unknown, ['bad', 'metadata.x', 'spec.containers[0].foo']);
  assert.equal(JSON.stringify(value).includes('foo'), false);
});

test('pruning in place finds the same paths as decoding', () => {
  const body = {
    spec: {
      replicas: 1,
      no: 2,
      template: { spec: { containers: [{ name: 'a', env: [{ name: 'b', z: 1 }] }] } },
    },
  };
  const { unknown } = tryDecode(body, deployment());
  assert.deepEqual(pruneUnknown(body, deployment()).sort(), unknown.sort());
  assert.deepEqual(tryDecode(body, deployment()).unknown, []);
});

test('nulls and zero values vanish unless Go keeps or writes them', () => {
  const { value } = tryDecode(
    {
      metadata: { name: 'a', labels: {}, annotations: null },
      spec: {
        hostNetwork: false,
        priority: 0,
        nodeName: '',
        containers: [{ name: 'a', securityContext: { privileged: false }, args: [] }],
      },
    },
    core('Pod'),
  );
  assert.deepEqual(value, {
    metadata: { name: 'a' },
    spec: {
      // A pointer keeps its zero, a struct without pointer is always there.
      priority: 0,
      containers: [{ name: 'a', securityContext: { privileged: false }, resources: {} }],
    },
    status: {},
  });
});

test('times and amounts come out in their canonical form', () => {
  const { value } = tryDecode(
    {
      metadata: { creationTimestamp: '2026-11-23T23:10:20.5+01:00' },
      spec: { renewTime: '2026-11-23T23:10:20.123Z', acquireTime: '2026-11-23T23:10:20Z' },
    },
    schemaFor({ group: 'coordination.k8s.io', version: 'v1', kind: 'Lease' }) as ReturnType<typeof core>,
  );
  assert.deepEqual(value, {
    metadata: { creationTimestamp: '2026-11-23T22:10:20Z' },
    spec: { renewTime: '2026-11-23T23:10:20.123000Z', acquireTime: '2026-11-23T23:10:20.000000Z' },
  });
  const limits = { cpu: '1000m', memory: '1048576Ki', 'example.com/x': 2 };
  const decoded = tryDecode(pod({ name: 'a', resources: { limits } }), core('Pod')).value as any;
  assert.deepEqual(decoded.spec.containers[0].resources.limits, {
    cpu: '1',
    memory: '1Gi',
    'example.com/x': '2',
  });
});

test('decoding what was decoded changes nothing', () => {
  const once = tryDecode(
    pod({ name: 'a', image: 'b', env: [{ name: 'x' }], livenessProbe: { httpGet: { port: 80 } } }),
    core('Pod'),
  ).value;
  assert.deepEqual(tryDecode(once, core('Pod')).value, once);
});

test('hostile keys stay ordinary keys', () => {
  const body = JSON.parse(
    '{"metadata":{"labels":{"__proto__":"x"}},"data":{"constructor":"y"},"__proto__":{"a":1}}',
  );
  const { value, unknown } = tryDecode(body, core('ConfigMap'));
  assert.deepEqual(unknown, ['__proto__']);
  assert.deepEqual(Object.keys((value as any).metadata.labels), ['__proto__']);
  assert.equal(({} as any).a, undefined);
});

test('a body nested beyond reason is refused, not followed', () => {
  let schema: unknown = {};
  for (let i = 0; i < 2000; i++) schema = { properties: { a: schema } };
  const crd = schemaFor({ group: 'apiextensions.k8s.io', version: 'v1', kind: 'CustomResourceDefinition' });
  assert.ok(crd);
  const body = { spec: { versions: [{ schema: { openAPIV3Schema: schema } }] } };
  assert.equal(tryDecode(body, crd).error, 'json: exceeded max depth');
});
