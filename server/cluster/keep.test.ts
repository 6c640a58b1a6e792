// A kept cluster comes back whole and to its owner, or says why not.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fakeClock } from '../clock.ts';
import { createKeeper, MOST_BYTES, readKept } from './keep.ts';

async function keeping(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'kbd-keep-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'session', 'cluster');
  const clock = fakeClock();
  const seen = {
    gate: Promise.resolve(),
    saves: 0,
    bytes: new Uint8Array([1, 10, 2]),
    faults: [] as string[],
  };
  const keeper = createKeeper({
    file,
    clock,
    save: async () => {
      seen.saves++;
      await seen.gate;
      return seen.bytes;
    },
    onFault: error => seen.faults.push(error.message),
  });
  return Object.assign(seen, {
    file,
    clock,
    keeper,
    /** Lets time pass, and then the disk. */
    pass: async (ms: number) => {
      await clock.advance(ms);
      await sleep(60);
    },
  });
}

test('a change is in the file within a second, many at once are written once, and only for their owner', async t => {
  const it = await keeping(t);
  it.keeper.changed();
  await it.pass(2000);
  assert.equal(it.saves, 0, 'nobody wants it kept yet');
  it.keeper.keep('attempt 1');
  for (let i = 0; i < 100; i++) it.keeper.changed();
  await it.pass(500);
  assert.equal(it.saves, 1);
  assert.deepEqual(await readKept(it.file, 'attempt 1'), { state: 'kept', bytes: it.bytes });
  assert.deepEqual(await readKept(it.file, 'attempt 2'), { state: 'none' });
  assert.equal((await stat(it.file)).mode & 0o777, 0o600);
  it.bytes = new Uint8Array([3]);
  it.keeper.changed();
  await it.pass(500);
  assert.deepEqual(await readKept(it.file, 'attempt 1'), { state: 'kept', bytes: it.bytes });
});

test('closing writes what is not written; forgetting takes it away, also what is being written', async t => {
  const it = await keeping(t);
  it.keeper.keep('a');
  await it.keeper.close();
  assert.equal((await readKept(it.file, 'a')).state, 'kept');
  const other = await keeping(t);
  other.keeper.keep('a');
  await other.pass(500);
  assert.ok(existsSync(other.file));
  other.keeper.changed();
  const { promise, resolve } = Promise.withResolvers<void>();
  other.gate = promise;
  await other.pass(500);
  other.keeper.keep(undefined);
  resolve();
  await other.pass(2000);
  assert.equal(existsSync(other.file), false);
  await other.keeper.close();
  assert.equal(existsSync(other.file), false);
});

test('what was cut, changed, made by another version or is no such file is lost, and says why', async t => {
  const it = await keeping(t);
  it.bytes = new Uint8Array(5000).fill(7);
  it.keeper.keep('a');
  await it.pass(500);
  const whole = await readFile(it.file);
  const reason = async () => {
    const kept = await readKept(it.file, 'a');
    return kept.state === 'lost' ? kept.why.en : kept.state;
  };
  assert.equal(await reason(), 'kept');
  await truncate(it.file, whole.length - 1);
  assert.match(await reason(), /damaged/);
  const changed = Buffer.from(whole);
  changed[changed.length - 3]! ^= 1;
  await writeFile(it.file, changed);
  assert.match(await reason(), /damaged/);
  await writeFile(it.file, 'not a cluster');
  assert.match(await reason(), /damaged/);
  await writeFile(it.file, whole.toString('latin1').replace('"format":1', '"format":9'), 'latin1');
  assert.match(await reason(), /another version/);
  await truncate(it.file, MOST_BYTES + 5000);
  assert.match(await reason(), /too large/);
});

test('a cluster that is too large is not written, and the older state does not stand in for it', async t => {
  const it = await keeping(t);
  it.keeper.keep('a');
  await it.pass(500);
  assert.ok(existsSync(it.file));
  it.bytes = new Uint8Array(MOST_BYTES + 1);
  it.keeper.changed();
  await it.pass(500);
  assert.equal(existsSync(it.file), false);
  assert.match(it.faults[0] ?? '', /at most \d+ are kept/);
});
