import assert from 'node:assert/strict';
import { test } from 'node:test';
import { protobufBody } from '../../../../tests/support/protobuf.ts';
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
  assert.deepEqual(decodeProtobuf(protobufBody('apps/v1', 'DeleteOptions', { 1: 5, 4: 'Background' })), {
    kind: 'DeleteOptions',
    apiVersion: 'apps/v1',
    gracePeriodSeconds: 5,
    propagationPolicy: 'Background',
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

test('a custom kind is refused so that the client may send JSON, whatever its name', () => {
  for (const [apiVersion, kind] of [
    ['kubeflow.org/v1', 'Notebook'],
    ['apps.example.com/v1', 'Deployment'],
  ] as const)
    assert.throws(
      () => decodeProtobuf(protobufBody(apiVersion, kind, { 1: { 1: 'n' } })),
      (error: unknown) =>
        error instanceof StatusError &&
        error.code === 415 &&
        error.status.reason === 'UnsupportedMediaType' &&
        /accepted media types include: application\/json, application\/yaml$/.test(error.message),
      `${apiVersion} ${kind}`,
    );
});

test('a body without the prefix is refused', () => {
  assert.throws(() => decodeProtobuf(Buffer.from('{}')), /does not appear to be a protobuf message/);
});
