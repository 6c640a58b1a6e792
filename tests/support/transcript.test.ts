import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestCluster } from './practice.ts';
import { difference, transcript } from './transcript.ts';

const shell = (answers: Record<string, { text: string; code?: number }>): TestCluster =>
  ({
    sh: async (command: string) => ({ stdout: '', stderr: '', code: 0, ...answers[command] }),
  }) as unknown as TestCluster;

test('equal lines are equal however wide their columns are', () => {
  assert.equal(difference(['NAME   AGE', 'a   …'], ['NAME        AGE', 'a     5s']), undefined);
});

test('a different, a missing and an unexpected line are each told', () => {
  assert.match(difference(['a'], ['b']) ?? '', /is not/);
  assert.match(difference(['a', 'b'], ['a']) ?? '', /missing: b/);
  assert.match(difference(['a'], ['a', 'b']) ?? '', /unexpected: b/);
});

test('three dots stand for any number of lines', () => {
  assert.equal(difference(['a', '...', 'z'], ['a', 'b', 'c', 'z']), undefined);
  assert.equal(difference(['a', '...'], ['a']), undefined);
  assert.notEqual(difference(['a', '...', 'z'], ['a', 'b']), undefined);
});

test('a transcript fails when the exit status is another one', async () => {
  const cluster = shell({ 'kubectl x': { text: 'no\n', code: 1 } });
  await transcript(cluster, '$ kubectl x\nno\n[exit 1]\n');
  await assert.rejects(transcript(cluster, '$ kubectl x\nno\n'), /exit 1/);
});

test('a here-document belongs to its command', async () => {
  await transcript(
    shell({ "kubectl apply -f - <<'Y'\na: b\nY": { text: 'done' } }),
    "$ kubectl apply -f - <<'Y'\na: b\nY\ndone\n",
  );
});
