import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { addQuantity, formatQuantity, parseQuantity, type Quantity, ZERO } from '#common/quantity/index.ts';
import type { KubeObject } from '../../kube/index.ts';
import { type Data, deployment, pods, replicaSet, type WorkloadLine } from './kubeflow-objects.ts';

const data = parse(readFileSync(new URL('./kubeflow-seed.yaml', import.meta.url), 'utf8')) as Data;
const workloads = data.workloads.map(
  line => ({ replicas: 1, account: 'default', kind: 'Deployment', ...line }) as WorkloadLine,
);
const all = workloads.flatMap(line => pods(line).map(pod => ({ line, pod })));

function sum(resource: 'cpu' | 'memory', of: readonly KubeObject[]): string {
  const requests = of.flatMap(
    pod => pod['spec'].containers as { resources: { requests?: Record<string, string> } }[],
  );
  const amounts = requests.map(
    ({ resources }) => parseQuantity(resources.requests?.[resource] ?? '0') as Quantity,
  );
  return formatQuantity(amounts.reduce(addQuantity, ZERO));
}

test('the requests add up to those of the real installation, sidecars included', () => {
  const every = all.map(({ pod }) => pod);
  assert.equal(sum('cpu', every), '5110m');
  assert.equal(sum('memory', every), '10190Mi');
  assert.equal(all.filter(({ line }) => line.sidecar).length, 28);
});

test('a deployment keeps the template of upstream: no sidecar in it', () => {
  for (const { line } of all) {
    const containers = deployment(line, true)['spec'].template.spec.containers;
    assert.ok(
      line.name.includes('gateway') ||
        containers.every((container: { name: string }) => container.name !== 'istio-proxy'),
    );
  }
});

test('the injector would give a sidecar to the pods that had one, and to no other', () => {
  for (const { line, pod } of all) {
    const enabled = data.namespaces[line.namespace]?.['istio-injection'] === 'enabled';
    const said = { ...pod.metadata.annotations, ...pod.metadata.labels }['sidecar.istio.io/inject'];
    assert.equal(enabled && said !== 'false', line.sidecar === true, line.name);
  }
});

test('a pod is adopted by the set that follows it', () => {
  for (const { line, pod } of all) {
    const owner = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: line.name, uid: 'u' } };
    const wanted = replicaSet(line, owner)['spec'].selector.matchLabels as Record<string, string>;
    assert.ok(
      Object.entries(wanted).every(([key, value]) => pod.metadata.labels?.[key] === value),
      line.name,
    );
  }
});

test('what a container refers to is there', () => {
  const texts = new Set(
    [...data.configMaps, ...data.secrets].map(({ namespace, name }) => `${namespace}/${name}`),
  );
  for (const { namespace, containers, claim, account } of workloads) {
    for (const { env = {}, envFrom, files } of containers) {
      const named = Object.values(env).flatMap(value => /^(?:secret|config) (\S+)/.exec(value)?.[1] ?? []);
      for (const name of [...named, envFrom, files?.from])
        if (name) assert.ok(texts.has(`${namespace}/${name}`), name);
    }
    if (claim)
      assert.ok(
        data.volumeClaims.some(({ name }) => name === claim),
        claim,
      );
    if (account !== 'default') assert.ok(data.serviceAccounts[namespace]?.includes(account), account);
  }
});

test('names and hashes are those of Kubernetes, and differ', () => {
  const names = all.map(({ pod }) => `${pod.metadata.namespace}/${pod.metadata.name}`);
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.includes('istio-system/istio-ingressgateway-57c8b6474d-8cqfx'));
  for (const name of names) assert.match(name, /-[a-z0-9]{9,10}-[a-z0-9]{5}$/);
});
