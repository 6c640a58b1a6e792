import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StatusError } from '../../../kube/index.ts';
import { decodeProtobuf } from './decode.ts';

/** Bodies that kubectl 1.33 sent (base64), and what its --dry-run=client -o json says they are. */
const BODIES: [body: string, value: unknown][] = [
  [
    'azhzAAoMCgJ2MRIGU2VjcmV0Eh0KEQoBcxIAGgAiACoAMgA4AEIAEgYKAXASAXEaABoAIgA=',
    { kind: 'Secret', apiVersion: 'v1', metadata: { name: 's' }, data: { p: 'cQ==' } },
  ],
  [
    'azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50ErABChsKAWQSABoAIgAqADIAOABCAFoICgNhcHASAWQSggEIABIKCggKA2FwcBIBZBpqChoKABIAGgAiACoAMgA4AEIAWggKA2FwcBIBZBJMEi4KBW5naW54EgVuZ2lueCoAMgoKABAAGFAiACoAQgBqAHIAgAEAiAEAkAEAogEAGgAyAEIASgBSAFgAYABoAIIBAIoBAJoBAMIBACICCgAoADgAGgwIABAAGAAgACgAOAAaACIA',
    {
      kind: 'Deployment',
      apiVersion: 'apps/v1',
      metadata: { name: 'd', labels: { app: 'd' } },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'd' } },
        template: {
          metadata: { labels: { app: 'd' } },
          spec: {
            containers: [{ name: 'nginx', image: 'nginx', ports: [{ containerPort: 80 }], resources: {} }],
          },
        },
        strategy: {},
      },
      status: {},
    },
  ],
  [
    'azhzAAoTCghiYXRjaC92MRIHQ3JvbkpvYhKVAQoSCgJjahIAGgAiACoAMgA4AEIAEn0KCSogKiAqICogKhoAKm4KEgoCY2oSABoAIgAqADIAOABCABJYMlYKEAoAEgAaACIAKgAyADgAQgASQhIbCgJjahIBYioAQgBqAHIAgAEAiAEAkAEAogEAGglPbkZhaWx1cmUyAEIASgBSAFgAYABoAIIBAIoBAJoBAMIBABoAGgAiAA==',
    {
      kind: 'CronJob',
      apiVersion: 'batch/v1',
      metadata: { name: 'cj' },
      spec: {
        schedule: '* * * * *',
        jobTemplate: {
          metadata: { name: 'cj' },
          spec: {
            template: {
              metadata: {},
              spec: { containers: [{ name: 'cj', image: 'b', resources: {} }], restartPolicy: 'OnFailure' },
            },
          },
        },
      },
      status: {},
    },
  ],
  [
    'azhzAAoTCgJ2MRINUmVzb3VyY2VRdW90YRIwChEKAXESABoAIgAqADIAOABCABIZCgoKA2NwdRIDCgExCgsKBHBvZHMSAwoBMhoAGgAiAA==',
    {
      kind: 'ResourceQuota',
      apiVersion: 'v1',
      metadata: { name: 'q' },
      spec: { hard: { cpu: '1', pods: '2' } },
      status: {},
    },
  ],
  [
    'azhzAAooChhhdXRoZW50aWNhdGlvbi5rOHMuaW8vdjESDFRva2VuUmVxdWVzdBIdChAKABIAGgAiACoAMgA4AEIAEgMgkBwaBAoAEgAaACIA',
    {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: {},
      spec: { expirationSeconds: 3600 },
      status: { token: '', expirationTimestamp: null },
    },
  ],
  [
    'azhzAAogCglwb2xpY3kvdjESE1BvZERpc3J1cHRpb25CdWRnZXQSNgoRCgFwEgAaACIAKgAyADgAQgASFQoJCAEQABoDNTAlEggKBgoBYRIBYhoKCAAYACAAKAAwABoAIgA=',
    {
      kind: 'PodDisruptionBudget',
      apiVersion: 'policy/v1',
      metadata: { name: 'p' },
      spec: { minAvailable: '50%', selector: { matchLabels: { a: 'b' } } },
      status: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
    },
  ],
  [
    'azhzAAofChRuZXR3b3JraW5nLms4cy5pby92MRIHSW5ncmVzcxJDChEKAWkSABoAIgAqADIAOABCABIqGigKA2ZvbxIhCh8KHQoEL2JhchINIgsKA3N2YxIECgAQUBoGUHJlZml4GgIKABoAIgA=',
    {
      kind: 'Ingress',
      apiVersion: 'networking.k8s.io/v1',
      metadata: { name: 'i' },
      spec: {
        rules: [
          {
            host: 'foo',
            http: {
              paths: [
                {
                  path: '/bar',
                  backend: { service: { name: 'svc', port: { number: 80 } } },
                  pathType: 'Prefix',
                },
              ],
            },
          },
        ],
      },
      status: { loadBalancer: {} },
    },
  ],
  [
    'azhzAAoNCgJ2MRIHU2VydmljZRJgChsKAXMSABoAIgAqADIAOABCAFoICgNhcHASAXMSPQoYCgU4MC05MBIDVENQGFAiBggAEFoaACgAEggKA2FwcBIBcxoAIglDbHVzdGVySVA6AEIAUgBaAGAAaAAaAgoAGgAiAA==',
    {
      kind: 'Service',
      apiVersion: 'v1',
      metadata: { name: 's', labels: { app: 's' } },
      spec: {
        ports: [{ name: '80-90', protocol: 'TCP', port: 80, targetPort: 90 }],
        selector: { app: 's' },
        type: 'ClusterIP',
      },
      status: { loadBalancer: {} },
    },
  ],
];

test('bodies of kubectl become the objects they stand for', () => {
  for (const [body, value] of BODIES) assert.deepEqual(decodeProtobuf(Buffer.from(body, 'base64')), value);
});

test('pointers keep their zero and plain fields with omitempty lose it', () => {
  const withReplicas = BODIES.map(([body]) => decodeProtobuf(Buffer.from(body, 'base64'))).find(
    object => object.kind === 'Deployment',
  ) as { spec?: { replicas?: number; minReadySeconds?: number } };
  assert.equal(withReplicas.spec?.replicas, 0);
  assert.equal(withReplicas.spec && 'minReadySeconds' in withReplicas.spec, false);
});

test('DeleteOptions of any group is the one of meta', () => {
  // k8s\0 {1: {1: "apps/v1", 2: "DeleteOptions"}, 2: {1: 5, 4: "Background"}}
  const type = [0x0a, 7, ...Buffer.from('apps/v1'), 0x12, 13, ...Buffer.from('DeleteOptions')];
  const raw = [0x08, 5, 0x22, 10, ...Buffer.from('Background')];
  const body = Buffer.from([0x6b, 0x38, 0x73, 0, 0x0a, type.length, ...type, 0x12, raw.length, ...raw]);
  assert.deepEqual(decodeProtobuf(body), {
    kind: 'DeleteOptions',
    apiVersion: 'apps/v1',
    gracePeriodSeconds: 5,
    propagationPolicy: 'Background',
  });
});

test('what 1.34 to 1.36 brought to pods comes through', () => {
  const field = (number: number, content: Buffer | string) =>
    Buffer.concat([Buffer.from([...varint((number << 3) | 2), content.length]), Buffer.from(content)]);
  const varint = (value: number) => (value < 128 ? [value] : [(value & 127) | 128, value >> 7]);
  const onExit = Buffer.concat([field(1, 'In'), Buffer.from([0x10, 42, 0x10, 3])]);
  const rule = Buffer.concat([field(1, 'Restart'), field(2, onExit)]);
  const container = Buffer.concat([field(1, 'c'), field(24, 'Never'), field(25, rule)]);
  const spec = Buffer.concat([field(2, container), field(41, 'told')]);
  const requests = Buffer.concat([field(1, 'cpu'), field(2, field(1, '1'))]);
  const status = Buffer.concat([field(1, 'Running'), field(19, requests), field(20, field(2, requests))]);
  const type = Buffer.concat([field(1, 'v1'), field(2, 'Pod')]);
  const body = Buffer.concat([field(1, type), field(2, Buffer.concat([field(2, spec), field(3, status)]))]);
  assert.deepEqual(decodeProtobuf(Buffer.concat([Buffer.from('k8s\0'), body])), {
    kind: 'Pod',
    apiVersion: 'v1',
    spec: {
      containers: [
        {
          name: 'c',
          restartPolicy: 'Never',
          restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42, 3] } }],
        },
      ],
      hostnameOverride: 'told',
    },
    status: { phase: 'Running', allocatedResources: { cpu: '1' }, resources: { requests: { cpu: '1' } } },
  });
});

test('every prefix of a good body is either decoded or refused with a 400', () => {
  for (const [text] of BODIES) {
    const body = Buffer.from(text, 'base64');
    for (let length = 0; length < body.length; length++) {
      try {
        decodeProtobuf(body.subarray(0, length));
      } catch (error) {
        assert.ok(error instanceof StatusError && error.code === 400, String(error));
      }
    }
  }
});

test('a kind whose fields are not known is refused so that the client may send JSON', () => {
  const type = [0x0a, 18, ...Buffer.from('resource.k8s.io/v1'), 0x12, 13, ...Buffer.from('ResourceClaim')];
  const body = Buffer.from([0x6b, 0x38, 0x73, 0, 0x0a, type.length, ...type, 0x12, 0]);
  assert.throws(
    () => decodeProtobuf(body),
    (error: unknown) =>
      error instanceof StatusError &&
      error.code === 415 &&
      error.status.reason === 'UnsupportedMediaType' &&
      /accepted media types include: application\/json, application\/yaml$/.test(error.message),
  );
});

test('a body without the prefix is refused', () => {
  assert.throws(() => decodeProtobuf(Buffer.from('{}')), /does not appear to be a protobuf message/);
});
