// Small things that a recorded v1.36.2 said and that are easily said otherwise: conditions, paths, health.

import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { test } from 'node:test';
import { NO_KUBECTL, sharedCluster } from '../support/practice.ts';

const cluster = sharedCluster({ nodes: [] });
const skip = NO_KUBECTL;

const pod = (name: string, spec: object) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { schedulerName: 'nobody', containers: [{ name: 'x', image: 'b' }], ...spec },
  });

/** Once the default account is there, without which there are no pods. */
async function createPod(name: string, spec: object): Promise<void> {
  const { sh } = await cluster();
  const made = await sh(
    'for i in $(seq 100); do kubectl get sa default >/dev/null 2>&1 && break; sleep 0.1; done; kubectl create -f -',
    { stdin: pod(name, spec) },
  );
  assert.equal(made.code, 0, made.text);
}

async function conditions(name: string): Promise<Record<string, unknown>[]> {
  const { kubectl } = await cluster();
  const { stdout } = await kubectl(['get', 'pod', name, '-o', 'jsonpath={.status.conditions}']);
  return JSON.parse(stdout) as Record<string, unknown>[];
}

test('binding a pod says when, and of which generation only the kubelet speaks', { skip }, async () => {
  await createPod('bound', {});
  const { kubectl } = await cluster();
  const binding = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name: 'bound' },
    target: { kind: 'Node', name: 'nowhere' },
  });
  const bound = await kubectl(
    ['create', '--raw', '/api/v1/namespaces/default/pods/bound/binding', '-f', '-'],
    {
      stdin: binding,
    },
  );
  assert.equal(bound.code, 0, bound.text);
  const [scheduled, ...others] = await conditions('bound');
  assert.deepEqual(others, []);
  assert.match(String(scheduled?.lastTransitionTime), /^\d{4}-\d\d-\d\dT[\d:]{8}Z$/);
  assert.deepEqual(
    { ...scheduled, lastTransitionTime: '' },
    { lastProbeTime: null, lastTransitionTime: '', status: 'True', type: 'PodScheduled' },
  );
});

test('a gate holds a pod back from the moment it was made', { skip }, async () => {
  await createPod('gated', { schedulingGates: [{ name: 'example.com/gate' }] });
  const [gated] = await conditions('gated');
  assert.match(String(gated?.lastTransitionTime), /^\d{4}-\d\d-\d\dT[\d:]{8}Z$/);
  assert.deepEqual(
    { ...gated, lastTransitionTime: '' },
    {
      lastProbeTime: null,
      lastTransitionTime: '',
      message: 'Scheduling is blocked due to non-empty scheduling gates',
      reason: 'SchedulingGated',
      status: 'False',
      type: 'PodScheduled',
    },
  );
});

test('an autoscaler without a metrics API has nobody to ask', { skip }, async () => {
  const { sh } = await cluster();
  const { stdout } = await sh(
    `kubectl create deploy idle --image=b >/dev/null && kubectl autoscale deploy idle --max=2 --cpu-percent=50 >/dev/null 2>&1
     kubectl wait hpa/idle --for=condition=ScalingActive=false --timeout=40s >/dev/null
     kubectl get hpa idle -o jsonpath='{.status.conditions[?(@.type=="ScalingActive")].message}'`,
    { timeout: 60_000 },
  );
  assert.equal(
    stdout,
    'the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)',
  );
});

test('whoever holds a token finds the keys that signed it', { skip }, async () => {
  const { sh, kubectl } = await cluster();
  const token = (
    await sh('kubectl -n kube-system create sa reader >/dev/null; kubectl -n kube-system create token reader')
  ).stdout;
  const [header = '', claims = '', signature = ''] = token.trim().split('.');
  const read = (part: string) =>
    JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, string>;
  const configuration = JSON.parse(
    (await kubectl(['get', '--raw', '/.well-known/openid-configuration'])).stdout,
  );
  assert.equal(configuration.issuer, read(claims).iss);
  assert.match(configuration.jwks_uri, /^https:\/\/[^/]+\/openid\/v1\/jwks$/);
  assert.deepEqual(configuration.response_types_supported, ['id_token']);
  assert.deepEqual(configuration.subject_types_supported, ['public']);
  assert.deepEqual(configuration.id_token_signing_alg_values_supported, [read(header).alg]);
  const { keys } = JSON.parse((await kubectl(['get', '--raw', '/openid/v1/jwks'])).stdout);
  const key = keys.find((item: { kid: string }) => item.kid === read(header).kid);
  assert.ok(key, 'the header names a published key');
  assert.equal(key.use, 'sig');
  assert.equal(
    verify(
      'sha256',
      Buffer.from(`${header}.${claims}`),
      { key: createPublicKey({ key, format: 'jwk' }), dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    ),
    true,
  );
  // Service accounts may look, others need a binding.
  const asked = (path: string, user: string) => kubectl(['get', '--raw', path, `--as=${user}`]);
  assert.equal((await asked('/openid/v1/jwks', 'system:serviceaccount:kube-system:reader')).code, 0);
  assert.equal(
    (await asked('/openid/v1/jwks', 'jane')).stderr.trim(),
    'Error from server (Forbidden): forbidden: User "jane" cannot get path "/openid/v1/jwks"',
  );
});

test('requests are counted by what they asked for', { skip }, async () => {
  const { kubectl } = await cluster();
  const counted = async (...labels: string[]) => {
    const { stdout } = await kubectl(['get', '--raw', '/metrics']);
    assert.match(stdout, /^# TYPE apiserver_request_total counter$/m);
    const lines = stdout
      .split('\n')
      .filter(
        line => line.startsWith('apiserver_request_total{') && labels.every(label => line.includes(label)),
      );
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  };
  const listed = ['code="200"', 'resource="ingresses"', 'verb="LIST"', 'scope="namespace"', 'version="v1"'];
  const missed = ['code="404"', 'resource="pods"', 'verb="GET"', 'scope="resource"', 'group=""'];
  const before = [await counted(...listed), await counted(...missed)];
  for (let i = 0; i < 3; i++) await kubectl(['get', 'ingress']);
  await kubectl(['get', 'pod', 'nobody']);
  const after = [await counted(...listed), await counted(...missed)];
  assert.deepEqual(
    after.map((count, i) => count - (before[i] ?? 0)),
    [3, 1],
  );
  const { stdout } = await kubectl(['get', '--raw', '/metrics']);
  assert.match(
    stdout,
    /^apiserver_request_duration_seconds_bucket\{[^}]*resource="ingresses"[^}]*le="\+Inf"\} \d+$/m,
  );
  assert.match(stdout, /^apiserver_current_inflight_requests\{request_kind="readOnly"\} \d+$/m);
  assert.equal(
    (await kubectl(['get', '--raw', '/metrics', '--as=jane'])).stderr.trim(),
    'Error from server (Forbidden): forbidden: User "jane" cannot get path "/metrics"',
  );
});

test('health is told as a whole, in parts and by name', { skip }, async () => {
  const { kubectl } = await cluster();
  for (const path of [
    '/healthz',
    '/livez',
    '/readyz',
    '/livez/ping',
    '/readyz/poststarthook/rbac/bootstrap-roles',
  ])
    assert.equal((await kubectl(['get', '--raw', path])).stdout, 'ok', path);
  for (const path of ['healthz', 'livez', 'readyz']) {
    const { stdout } = await kubectl(['get', '--raw', `/${path}?verbose`]);
    const lines = stdout.trim().split('\n');
    assert.equal(lines.at(-1), `${path} check passed`);
    for (const line of lines.slice(0, -1)) assert.match(line, /^\[\+\]\S+ ok$/);
    assert.equal(lines.includes('[+]shutdown ok'), path === 'readyz', path);
  }
  const { paths } = JSON.parse((await kubectl(['get', '--raw', '/'])).stdout) as { paths: string[] };
  for (const path of [
    '/.well-known/openid-configuration',
    '/livez/ping',
    '/metrics',
    '/openapi/v2',
    '/openid/v1/jwks',
  ])
    assert.ok(paths.includes(path), path);
  assert.match(
    (await kubectl(['get', '--raw', '/livez/nope'])).stderr,
    /the server could not find the requested resource/,
  );
});
