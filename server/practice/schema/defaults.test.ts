import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Schema } from '../../kube/index.ts';
import { applyDefaults, decode, schemaFor } from './index.ts';

function defaulted(group: string, kind: string, body: object): any {
  const schema = schemaFor({ group, version: 'v1', kind });
  assert.ok(schema, kind);
  const { value } = decode<any>(body, schema, { kind, version: 'v1' });
  applyDefaults(value, schema);
  const once = structuredClone(value);
  applyDefaults(value, schema);
  assert.deepEqual(value, once, 'a second time changes nothing');
  return value;
}

const template = {
  metadata: { labels: { a: 'b' } },
  spec: { containers: [{ name: 'nginx', image: 'nginx:1.27', ports: [{ containerPort: 80 }] }] },
};

test('a deployment gets what the recorded one shows', () => {
  const { spec } = defaulted('apps', 'Deployment', {
    spec: { selector: { matchLabels: { a: 'b' } }, template },
  });
  assert.deepEqual(spec, {
    progressDeadlineSeconds: 600,
    replicas: 1,
    revisionHistoryLimit: 10,
    selector: { matchLabels: { a: 'b' } },
    strategy: { rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' }, type: 'RollingUpdate' },
    template: {
      metadata: { labels: { a: 'b' } },
      spec: {
        containers: [
          {
            image: 'nginx:1.27',
            imagePullPolicy: 'IfNotPresent',
            name: 'nginx',
            ports: [{ containerPort: 80, protocol: 'TCP' }],
            resources: {},
            terminationMessagePath: '/dev/termination-log',
            terminationMessagePolicy: 'File',
          },
        ],
        dnsPolicy: 'ClusterFirst',
        restartPolicy: 'Always',
        schedulerName: 'default-scheduler',
        securityContext: {},
        terminationGracePeriodSeconds: 30,
      },
    },
  });
});

test('a stateful set defaults its claims too', () => {
  const { spec } = defaulted('apps', 'StatefulSet', {
    spec: {
      serviceName: 's',
      selector: { matchLabels: { a: 'b' } },
      template,
      volumeClaimTemplates: [
        {
          metadata: { name: 'd' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      ],
    },
  });
  assert.equal(spec.podManagementPolicy, 'OrderedReady');
  assert.deepEqual(spec.updateStrategy, { rollingUpdate: { partition: 0 }, type: 'RollingUpdate' });
  assert.deepEqual(spec.persistentVolumeClaimRetentionPolicy, {
    whenDeleted: 'Retain',
    whenScaled: 'Retain',
  });
  assert.deepEqual(spec.volumeClaimTemplates[0], {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'd' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      volumeMode: 'Filesystem',
    },
    status: { phase: 'Pending' },
  });
});

test('the pull policy follows the tag', () => {
  const policy = (image: string) =>
    defaulted('', 'Pod', { spec: { containers: [{ name: 'x', image }] } }).spec.containers[0].imagePullPolicy;
  assert.equal(policy('nginx'), 'Always');
  assert.equal(policy('nginx:latest'), 'Always');
  assert.equal(policy('localhost:5000/nginx'), 'Always');
  assert.equal(policy('nginx:1.27'), 'IfNotPresent');
  assert.equal(policy(`nginx@sha256:${'0'.repeat(64)}`), 'IfNotPresent');
});

test('a job without numbers runs once, one with parallelism has no completions', () => {
  const job = (spec: object) => defaulted('batch', 'Job', { spec: { template, ...spec } }).spec;
  assert.deepEqual([job({}).completions, job({}).parallelism, job({}).backoffLimit], [1, 1, 6]);
  assert.deepEqual(
    [job({ parallelism: 3 }).completions, job({ parallelism: 3 }).parallelism],
    [undefined, 3],
  );
  assert.equal(job({ backoffLimitPerIndex: 1 }).backoffLimit, 2147483647);
  assert.equal(job({ podFailurePolicy: { rules: [] } }).podReplacementPolicy, 'Failed');
});

test('a service aims at its own port and tells external traffic apart', () => {
  const service = (spec: object) => defaulted('', 'Service', { spec }).spec;
  assert.deepEqual(service({ ports: [{ port: 80 }] }).ports, [{ port: 80, protocol: 'TCP', targetPort: 80 }]);
  assert.equal(service({ ports: [] }).externalTrafficPolicy, undefined);
  assert.equal(service({ type: 'NodePort' }).externalTrafficPolicy, 'Cluster');
  assert.equal(service({ type: 'LoadBalancer' }).allocateLoadBalancerNodePorts, true);
  assert.equal(service({ type: 'ExternalName', externalName: 'a.b' }).internalTrafficPolicy, undefined);
  assert.deepEqual(service({ sessionAffinity: 'ClientIP' }).sessionAffinityConfig, {
    clientIP: { timeoutSeconds: 10800 },
  });
});

test('amounts finer than a thousandth are rounded up', () => {
  const { spec } = defaulted('', 'Pod', {
    spec: { containers: [{ name: 'x', resources: { limits: { cpu: '100500u' } } }] },
  });
  assert.equal(spec.containers[0].resources.limits.cpu, '101m');
});

test('a volume of no kind is an empty directory', () => {
  const { spec } = defaulted('', 'Pod', {
    spec: { volumes: [{ name: 'v' }, { name: 's', secret: { secretName: 's' } }], containers: [] },
  });
  assert.deepEqual(spec.volumes, [
    { name: 'v', emptyDir: {} },
    { name: 's', secret: { secretName: 's', defaultMode: 420 } },
  ]);
});

test('custom resources get their own defaults, nulls included', () => {
  const schema: Schema = {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        default: {},
        properties: {
          image: { type: 'string', default: 'busybox' },
          keep: { type: 'string', nullable: true, default: 'x' },
          list: {
            type: 'array',
            items: { type: 'object', properties: { on: { type: 'boolean', default: true } } },
          },
        },
      },
    },
  };
  const filled = (value: any) => {
    applyDefaults(value, schema);
    return value.spec;
  };
  assert.deepEqual(filled({}), { image: 'busybox', keep: 'x' });
  assert.deepEqual(filled({ spec: { image: null, keep: null } }), { image: 'busybox', keep: null });
  assert.deepEqual(filled({ spec: { list: [{}, { on: false }] } }).list, [{ on: true }, { on: false }]);
});
