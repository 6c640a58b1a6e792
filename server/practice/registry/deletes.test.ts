import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, configMap, pod, refused, testRegistry } from './testing.ts';

const namespaces = (name: string, subresource?: string) => ({
  group: '',
  version: 'v1',
  resource: 'namespaces',
  name,
  ...(subresource ? { subresource } : {}),
});

test('a deletion answers with a Status that names the object', async () => {
  const { create, registry, context } = testRegistry();
  const { metadata } = await create(at('configmaps'), configMap('a'));
  const { object } = await registry.delete(context(), at('configmaps', 'a'), {});
  assert.deepEqual(object, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: 'a', kind: 'configmaps', uid: metadata.uid },
  });
});

test('preconditions that do not hold keep the object', async () => {
  const { create, registry, context, get } = testRegistry();
  const { metadata } = await create(at('configmaps'), configMap('a'));
  await assert.rejects(
    registry.delete(context(), at('configmaps', 'a'), { preconditions: { uid: 'other' } }),
    refused(
      409,
      `Operation cannot be fulfilled on configmaps "a": Precondition failed: UID in precondition: other, UID in object meta: ${metadata.uid}`,
    ),
  );
  assert.ok(await get(at('configmaps', 'a')));
});

test('an object with finalizers waits for the last of them', async () => {
  const { create, registry, context, get, patch } = testRegistry();
  await create(at('configmaps'), configMap('a', {}, { finalizers: ['example.com/hold'] }));
  await registry.delete(context(), at('configmaps', 'a'), {});
  const waiting = await get(at('configmaps', 'a'));
  assert.equal(waiting.metadata.deletionTimestamp, '2026-11-23T23:10:00Z');
  assert.equal(waiting.metadata.deletionGracePeriodSeconds, 0);
  await assert.rejects(
    patch(at('configmaps', 'a'), 'merge', {
      metadata: { finalizers: ['example.com/hold', 'example.com/more'] },
    }),
    refused(
      422,
      'ConfigMap "a" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/more"}',
    ),
  );
  await patch(at('configmaps', 'a'), 'merge', { metadata: { finalizers: null } });
  await assert.rejects(get(at('configmaps', 'a')), refused(404, 'configmaps "a" not found'));
});

test('foreground and orphan deletion leave their finalizer, background none', async () => {
  const { create, registry, context, get } = testRegistry();
  for (const [name, policy, finalizer] of [
    ['f', 'Foreground', 'foregroundDeletion'],
    ['o', 'Orphan', 'orphan'],
  ] as const) {
    await create(at('configmaps'), configMap(name));
    await registry.delete(context(), at('configmaps', name), { propagationPolicy: policy });
    assert.deepEqual((await get(at('configmaps', name))).metadata.finalizers, [finalizer]);
  }
  await create(at('configmaps'), configMap('b'));
  await registry.delete(context(), at('configmaps', 'b'), { propagationPolicy: 'Background' });
  await assert.rejects(get(at('configmaps', 'b')), refused(404, 'configmaps "b" not found'));
});

test('a pod that runs gets its grace period, one that never started goes at once', async () => {
  const { create, registry, context, get, patch } = testRegistry();
  await create(at('pods'), pod('idle'));
  await registry.delete(context(), at('pods', 'idle'), {});
  await assert.rejects(get(at('pods', 'idle')), refused(404, 'pods "idle" not found'));

  await create(at('pods'), pod('runs', { nodeName: 'minikube' }));
  await registry.delete(context(), at('pods', 'runs'), {});
  const ending = await get(at('pods', 'runs'));
  assert.equal(ending.metadata.deletionTimestamp, '2026-11-23T23:10:30Z');
  assert.equal(ending.metadata.deletionGracePeriodSeconds, 30);
  await registry.delete(context(), at('pods', 'runs'), { gracePeriodSeconds: 5 });
  assert.equal((await get(at('pods', 'runs'))).metadata.deletionGracePeriodSeconds, 5);
  await patch(at('pods', 'runs', 'status'), 'merge', { status: { phase: 'Running' } });
  await registry.delete(context(), at('pods', 'runs'), { gracePeriodSeconds: 0 });
  await assert.rejects(get(at('pods', 'runs')), refused(404, 'pods "runs" not found'));
});

test('a namespace ends only when its own finalizer is dropped through finalize', async () => {
  const { registry, context, get } = testRegistry();
  await registry.delete(context(), namespaces('other'), {});
  const ending = await get(namespaces('other'));
  assert.equal(ending.status.phase, 'Terminating');
  assert.deepEqual(ending.spec.finalizers, ['kubernetes']);
  const value = { ...ending, spec: {} };
  await registry.update(context(), namespaces('other', 'finalize'), { value });
  await assert.rejects(get(namespaces('other')), refused(404, 'namespaces "other" not found'));
});

test('deleting a collection takes what is selected and nothing else', async () => {
  const { create, registry, context } = testRegistry();
  for (const name of ['a', 'b', 'c'])
    await create(at('configmaps'), configMap(name, {}, { labels: { go: String(name !== 'b') } }));
  const gone = await registry.deleteCollection(context(), at('configmaps'), { labelSelector: 'go=true' });
  assert.equal(gone.items.length, 2);
  const left = await registry.list(context(), at('configmaps'), {});
  assert.deepEqual(
    left.items.map(item => item.metadata.name),
    ['b'],
  );
});

test('an eviction asks the disruption budget', async () => {
  const { create, registry, context, patch, get } = testRegistry();
  await create(at('pods'), pod('web', { nodeName: 'minikube' }));
  await patch(at('pods', 'web', 'status'), 'merge', {
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  });
  const budgets = { ...at('poddisruptionbudgets'), group: 'policy' };
  await create(budgets, {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'b' },
    spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
  });
  const setStatus = (disruptionsAllowed: number) =>
    patch({ ...budgets, name: 'b', subresource: 'status' }, 'merge', {
      status: {
        disruptionsAllowed,
        observedGeneration: 1,
        currentHealthy: 1,
        desiredHealthy: 1,
        expectedPods: 1,
      },
    });
  await setStatus(0);
  const evict = () =>
    registry.create(context(), at('pods', 'web', 'eviction'), {
      value: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'web' } },
    });
  await assert.rejects(
    evict(),
    refused(429, "Cannot evict pod as it would violate the pod's disruption budget."),
  );
  await setStatus(1);
  await evict();
  assert.ok((await get(at('pods', 'web'))).metadata.deletionTimestamp);
  assert.equal((await get({ ...budgets, name: 'b' })).status.disruptionsAllowed, 0);
});

test('a pod is bound once', async () => {
  const { create, registry, context, get } = testRegistry();
  await create(at('pods'), pod('p'));
  const bind = (node: string) =>
    registry.create(context(), at('pods', 'p', 'binding'), {
      value: {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'p' },
        target: { kind: 'Node', name: node },
      },
    });
  await bind('minikube');
  assert.equal((await get(at('pods', 'p'))).spec.nodeName, 'minikube');
  await assert.rejects(
    bind('elsewhere'),
    refused(
      409,
      'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "minikube"',
    ),
  );
});
