import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, brief, configMap, refused, testRegistry } from './testing.ts';

async function withConfigMaps(count: number) {
  const test = testRegistry();
  for (let i = 0; i < count; i++)
    await test.create(
      at('configmaps'),
      configMap(`c${i}`, {}, { labels: { parity: i % 2 ? 'odd' : 'even' } }),
    );
  return test;
}

test('pages follow each other at one version, whatever is written in between', async () => {
  const { registry, context, create } = await withConfigMaps(5);
  const first = await registry.list(context(), at('configmaps'), { limit: 2 });
  assert.equal(first.metadata.remainingItemCount, 3);
  await create(at('configmaps'), configMap('c9'));
  const token = first.metadata.continue ?? '';
  const rest = await registry.list(context(), at('configmaps'), { limit: 10, continue: token });
  assert.deepEqual(
    rest.items.map(item => item.metadata.name),
    ['c2', 'c3', 'c4'],
  );
  assert.equal(rest.metadata.resourceVersion, first.metadata.resourceVersion);
  assert.equal(rest.metadata.continue, undefined);
});

test('a selected list says no remaining count and fills its pages', async () => {
  const { registry, context } = await withConfigMaps(6);
  const page = await registry.list(context(), at('configmaps'), { limit: 2, labelSelector: 'parity=odd' });
  assert.deepEqual(
    page.items.map(item => item.metadata.name),
    ['c1', 'c3'],
  );
  assert.equal(page.metadata.remainingItemCount, undefined);
  assert.ok(page.metadata.continue);
});

test('bad selectors, versions and tokens are refused in upstream words', async () => {
  const { registry, context } = await withConfigMaps(1);
  const list = (request: object, resource = 'pods') => registry.list(context(), at(resource), request);
  await assert.rejects(
    list({ fieldSelector: 'spec.nope=1' }),
    refused(400, 'field label not supported: spec.nope'),
  );
  await assert.rejects(
    list({ labelSelector: 'a in b' }),
    refused(400, "unable to parse requirement: found 'b' expected: '('"),
  );
  await assert.rejects(
    list({ resourceVersion: '999' }),
    refused(504, `Timeout: Too large resource version: 999, current: ${registry.resourceVersion}`),
  );
  await assert.rejects(
    list({ resourceVersionMatch: 'Exact' }),
    refused(
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    ),
  );
});

test('a watch without a version starts with what is there', async () => {
  const { watch, create, registry, context } = await withConfigMaps(2);
  const { events, stop } = await watch(at('configmaps'));
  await create(at('configmaps'), configMap('new'));
  await registry.delete(context(), at('configmaps', 'c0'), {});
  stop();
  await create(at('configmaps'), configMap('unseen'));
  assert.deepEqual(events.map(brief), ['ADDED c0', 'ADDED c1', 'ADDED new', 'DELETED c0']);
});

test('entering a selection is ADDED, leaving it is DELETED with the last state inside and the new version', async () => {
  const { watch, patch, registry } = await withConfigMaps(2);
  const { events } = await watch(at('configmaps'), {
    labelSelector: 'parity=odd',
    resourceVersion: registry.resourceVersion,
  });
  await patch(at('configmaps', 'c0'), 'merge', { metadata: { labels: { parity: 'odd' } } });
  const left = await patch(at('configmaps', 'c1'), 'merge', { metadata: { labels: { parity: 'none' } } });
  assert.deepEqual(events.map(brief), ['ADDED c0', 'DELETED c1']);
  const gone = events[1];
  assert.ok(gone && gone.type === 'DELETED');
  assert.equal(gone.object.metadata.labels?.parity, 'odd');
  assert.equal(gone.object.metadata.resourceVersion, left.metadata.resourceVersion);
});

test('a watch from a forgotten version gets an error event and ends', async () => {
  const { watch, patch } = await withConfigMaps(1);
  for (let i = 0; i < 200; i++) await patch(at('configmaps', 'c0'), 'merge', { data: { i: String(i) } });
  const { events, ended } = await watch(at('configmaps'), { resourceVersion: '2' });
  assert.equal(events.length, 1);
  assert.match(brief(events[0] as (typeof events)[number]), /^ERROR too old resource version: 2 \(\d+\)$/);
  assert.ok(ended());
});

test('initial events end with a marked bookmark, then bookmarks come every minute', async () => {
  const { watch, clock } = await withConfigMaps(1);
  const { events, stop } = await watch(at('configmaps'), {
    sendInitialEvents: true,
    resourceVersionMatch: 'NotOlderThan',
    allowWatchBookmarks: true,
  });
  assert.deepEqual(events.map(brief), ['ADDED c0', 'BOOKMARK']);
  const mark = events[1];
  assert.ok(mark?.type === 'BOOKMARK');
  assert.deepEqual(mark.object.metadata.annotations, { 'k8s.io/initial-events-end': 'true' });
  await clock.advance(61_000);
  assert.equal(events.length, 3);
  stop();
  assert.equal(clock.pending, 0);
});
