// The seed's Kubeflow as a baseline: what stands when it is there, and that its injector goes on working.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openKubeApi } from '../../server/check/index.ts';
import { realClock } from '../../server/clock.ts';
import { BASELINES } from '../../server/lab/index.ts';
import { NO_KUBECTL, startCluster, type TestCluster } from '../support/practice.ts';

async function kubeflow(t: { after(task: () => unknown): void }, cpus: string, memory: string) {
  const cluster = await startCluster({ nodes: [{ name: 'minikube', cpus, memory }] });
  t.after(() => cluster.close());
  const api = await openKubeApi(cluster.kubeconfig);
  t.after(() => api.close());
  const signal = new AbortController().signal;
  const baseline = BASELINES.find(({ name }) => name === 'kubeflow-seed')!;
  await baseline.apply(api, { clock: realClock(), signal, note: () => {} });
  return cluster;
}

const count = async (cluster: TestCluster, more: string) =>
  Number((await cluster.sh(`kubectl get pods -A --no-headers ${more} | wc -l`)).stdout);

test("on the author's node 29 of 54 pods are Pending, the gateway among them", {
  skip: NO_KUBECTL,
}, async t => {
  const cluster = await kubeflow(t, '2', '4Gi');
  await cluster.sh('kubectl wait pod -n istio-system -l app=istiod --for=condition=Ready --timeout=30s');
  assert.equal(await count(cluster, ''), 54);
  assert.equal(await count(cluster, '--field-selector=status.phase=Pending,spec.nodeName='), 29);
  const gateway = await cluster.sh(
    'kubectl get pods -n istio-system -l app=istio-ingressgateway --no-headers',
  );
  assert.match(gateway.stdout, / Pending /);
});

test('a pod that is made again gets its sidecar from istiod, and waits while istiod is away', {
  skip: NO_KUBECTL,
}, async t => {
  const cluster = await kubeflow(t, '8', '16Gi');
  const say = async (command: string) => {
    const { text } = await cluster.sh(command, { timeout: 60_000 });
    return text.trim();
  };
  const containers = (app: string) =>
    say(`kubectl -n kubeflow get pods -l app=${app} -o jsonpath='{.items[0].spec.containers[*].name}'`);
  await say('kubectl wait pod -n istio-system -l app=istiod --for=condition=Ready --timeout=30s');
  const before = await containers('centraldashboard');
  assert.match(before, / istio-proxy$/);
  await say(
    'kubectl -n kubeflow rollout restart deployment centraldashboard metadata-envoy-deployment 2>&1; kubectl -n kubeflow rollout status deployment centraldashboard --timeout=50s',
  );
  assert.equal(await containers('centraldashboard'), before);
  await say(
    'kubectl -n kubeflow delete pod -l app=metacontroller; kubectl -n kubeflow wait pod -l app=metacontroller --for=condition=Ready --timeout=30s',
  );
  assert.equal(await containers('metacontroller'), 'metacontroller');

  await say(
    'kubectl -n istio-system scale deployment istiod --replicas=0; kubectl -n istio-system wait pod -l app=istiod --for=delete --timeout=50s',
  );
  await say('kubectl -n kubeflow delete pod -l app=centraldashboard --grace-period=0 --force');
  await say('sleep 1');
  assert.equal(
    await say('kubectl -n kubeflow get pods -l app=centraldashboard'),
    'No resources found in kubeflow namespace.',
  );
  assert.match(
    await say('kubectl -n kubeflow get events --field-selector=reason=FailedCreate'),
    /Error creating: Internal error occurred: failed calling webhook "namespace\.sidecar-injector\.istio\.io": failed to call webhook: Post "https:\/\/istiod\.istio-system\.svc:443\/inject\?timeout=10s": no endpoints available for service "istiod"/,
  );
  await say(
    'kubectl -n istio-system scale deployment istiod --replicas=1; kubectl -n istio-system rollout status deployment istiod --timeout=50s',
  );
  await say('kubectl -n kubeflow rollout status deployment centraldashboard --timeout=50s');
  assert.equal(await containers('centraldashboard'), before);
});
