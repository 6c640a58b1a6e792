// What every store must do, as a suite that each implementation's test calls. Knows no implementation.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../kube/index.ts';
import type { Store, StoreErrorCode, StoreEvent } from './types.ts';
import { StoreError } from './types.ts';

const thing = (name: string, value = ''): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name },
  value,
});

const code = (expected: StoreErrorCode) => (error: unknown) =>
  error instanceof StoreError && error.code === expected;

const brief = (event: StoreEvent) => `${event.type} ${event.key} ${event.object.metadata.resourceVersion}`;

/** `make` gives an empty store whose log keeps at least `logLength` changes, and at most twice as many. */
export function storeContract(name: string, make: (logLength?: number) => Store): void {
  const it = (title: string, body: () => void) => test(`${name}: ${title}`, body);

  it('a created object carries the revision of its write', () => {
    const store = make();
    const first = store.create('/things/a', thing('a'));
    const second = store.create('/things/b', thing('b'));
    assert.equal(first.metadata.resourceVersion, '1');
    assert.equal(second.metadata.resourceVersion, '2');
    assert.equal(store.revision, 2);
    assert.equal(store.get('/things/a'), first);
    assert.equal(store.get('/things/c'), undefined);
  });

  it('a second create of the same key is refused', () => {
    const store = make();
    store.create('/things/a', thing('a'));
    assert.throws(() => store.create('/things/a', thing('a')), code('exists'));
    assert.equal(store.revision, 1);
  });

  it('an update that returns the same object writes nothing', () => {
    const store = make();
    const stored = store.create('/things/a', thing('a'));
    assert.equal(
      store.update('/things/a', current => current),
      stored,
    );
    assert.equal(store.revision, 1);
    const next = store.update('/things/a', current => ({ ...current, value: 'x' }));
    assert.equal(next.metadata.resourceVersion, '2');
    assert.throws(() => store.update('/things/b', current => current), code('not-found'));
  });

  it('a failed check keeps what was to be deleted', () => {
    const store = make();
    store.create('/things/a', thing('a'));
    assert.throws(() =>
      store.delete('/things/a', () => {
        throw new StoreError('conflict');
      }),
    );
    assert.ok(store.get('/things/a'));
    assert.equal(store.delete('/things/a').metadata.resourceVersion, '2');
    assert.equal(store.get('/things/a'), undefined);
    assert.throws(() => store.delete('/things/a'), code('not-found'));
  });

  it('a list is sorted, keeps to its prefix and goes on after a key', () => {
    const store = make();
    for (const key of ['/things/x/b', '/things/x/a', '/things/xy/c', '/thingsmore/x/d', '/things/x/c'])
      store.create(key, thing(key.slice(-1)));
    const names = (list: { items: KubeObject[] }) => list.items.map(i => i.metadata.name).join('');
    assert.equal(names(store.list('/things/')), 'abcc');
    assert.equal(names(store.list('/things/x/')), 'abc');
    const page = store.list('/things/x/', { limit: 2 });
    assert.equal(names(page), 'ab');
    assert.equal(page.remaining, 1);
    const rest = store.list('/things/x/', { limit: 2, ...(page.nextKey && { afterKey: page.nextKey }) });
    assert.equal(names(rest), 'c');
    assert.equal(rest.nextKey, undefined);
    assert.deepEqual(store.list('/nothing/').items, []);
  });

  it('the past can be read until the log forgets it', () => {
    const store = make(10);
    store.create('/things/a', thing('a', '1'));
    store.create('/things/b', thing('b', '2'));
    store.update('/things/a', o => ({ ...o, value: '3' }));
    store.delete('/things/b');
    const values = (at: number) => store.list('/things/', { atRevision: at }).items.map(i => i.value);
    assert.deepEqual(values(1), ['1']);
    assert.deepEqual(values(2), ['1', '2']);
    assert.deepEqual(values(3), ['3', '2']);
    assert.deepEqual(values(4), ['3']);
    assert.throws(() => values(5), code('too-large-version'));
    for (let i = 0; i < 40; i++) store.update('/things/a', o => ({ ...o, value: String(i) }));
    assert.throws(() => values(2), code('expired'));
  });

  it('a watch sees what happened since its revision, then what happens', () => {
    const store = make();
    store.create('/things/x/a', thing('a'));
    store.create('/things/x/b', thing('b'));
    store.create('/things/y/c', thing('c'));
    const seen: string[] = [];
    const stop = store.watch('/things/x/', 1, event => seen.push(brief(event)));
    assert.deepEqual(seen, ['ADDED /things/x/b 2']);
    store.update('/things/x/a', o => ({ ...o, value: 'z' }));
    store.delete('/things/x/b');
    stop();
    store.delete('/things/x/a');
    assert.deepEqual(seen, ['ADDED /things/x/b 2', 'MODIFIED /things/x/a 4', 'DELETED /things/x/b 5']);
  });

  it('a watcher that writes does not disturb the order others see', () => {
    const store = make();
    const seen: string[] = [];
    store.watch('/things/', 0, event => {
      if (event.key === '/things/a') store.create('/things/b', thing('b'));
    });
    store.watch('/things/', 0, event => seen.push(event.key));
    store.create('/things/a', thing('a'));
    assert.deepEqual(seen, ['/things/a', '/things/b']);
  });

  it('a watch that starts while changes are handed out sees each of them once', () => {
    const store = make();
    const seen: string[] = [];
    store.watch('/things/', 0, event => {
      if (event.key !== '/things/a') return;
      store.create('/things/b', thing('b'));
      store.watch('/things/', 0, late => seen.push(late.key));
    });
    store.create('/things/a', thing('a'));
    assert.deepEqual(seen, ['/things/a', '/things/b']);
  });

  it('a watch from before the log, or from the future, is refused', () => {
    const store = make(10);
    for (let i = 0; i < 40; i++) store.create(`/things/${i}`, thing(String(i)));
    assert.throws(() => store.watch('/things/', 2, () => {}), code('expired'));
    assert.throws(() => store.watch('/things/', 41, () => {}), code('too-large-version'));
  });

  it('restoring goes back, keeps counting and tells watchers the difference', () => {
    const store = make();
    const kept = store.create('/things/kept', thing('kept'));
    store.create('/things/changed', thing('changed', 'old'));
    store.create('/things/removed', thing('removed'));
    const snapshot = store.snapshot();
    store.update('/things/changed', o => ({ ...o, value: 'new' }));
    store.delete('/things/removed');
    store.create('/things/added', thing('added'));
    const before = store.revision;
    const seen: string[] = [];
    store.watch('/things/', before, event => seen.push(`${event.type} ${event.object.metadata.name}`));
    store.restore(snapshot);
    assert.deepEqual(seen.sort(), ['ADDED removed', 'DELETED added', 'MODIFIED changed']);
    assert.equal(store.revision, before + 3);
    assert.equal(store.get('/things/kept'), kept);
    assert.equal(store.get('/things/changed')?.value, 'old');
    store.restore(snapshot);
    assert.equal(store.revision, before + 3, 'a second restore finds nothing to do');
  });

  it('a snapshot does not see what is written after it', () => {
    const store = make();
    store.create('/things/a', thing('a', 'old'));
    const snapshot = store.snapshot();
    store.update('/things/a', o => ({ ...o, value: 'new' }));
    const again = store.snapshot();
    store.restore(snapshot);
    assert.equal(store.get('/things/a')?.value, 'old');
    store.restore(again);
    assert.equal(store.get('/things/a')?.value, 'new');
  });

  it('a dump loads into an empty store with its resource versions', () => {
    const store = make();
    store.create('/things/b', thing('b'));
    store.create('/things/a', thing('a'));
    const copy = make();
    copy.load(JSON.parse(JSON.stringify(store.serialise())));
    assert.deepEqual(copy.list('/things/'), store.list('/things/'));
    assert.equal(copy.create('/things/c', thing('c')).metadata.resourceVersion, '3');
  });
}
