import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Check } from '#common/lab/index.ts';
import { type FakeClock, fakeClock } from '../clock.ts';
import { CouldNotLook } from './could-not-look.ts';
import { scene } from './kinds/contract.ts';
import { watchThrough } from './kube-watch.ts';
import { memoryApi } from './memory-api.ts';
import { runCheck } from './runner.ts';
import type { Verdict } from './types.ts';
import { say } from './words.ts';

const pod = (phase: string, name = 'web') => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop' },
  status: { phase },
});
const running = { ref: { kind: 'Pod', name: 'web' }, match: { status: { phase: 'Running' } } };

/** A check over a memory API and a clock that is ticked. */
function start(t: TestContext, lines: Partial<Check>) {
  const s = scene(t);
  const clock: FakeClock = fakeClock();
  const api = memoryApi();
  const context = { ...s.context, clock, kube: watchThrough(api, clock) };
  const told: Verdict[] = [];
  const open = () => {
    const check = runCheck(
      { id: 'x', kind: 'resource', spec: running, ...lines } as Check,
      () => context,
      verdict => told.push(verdict),
    );
    t.after(() => check.stop());
    return check;
  };
  return { api, clock, told, open, context, ran: s.ran, state: () => told.at(-1)?.state };
}

test('a passed check that stops holding says so', async t => {
  const { api, clock, open, state } = start(t, {});
  api.put(pod('Running'));
  open();
  await clock.advance(10);
  assert.equal(state(), 'holds');
  api.put(pod('Failed'));
  await clock.advance(10);
  assert.equal(state(), 'wrong');
});

test('stays holds back what flaps', async t => {
  const { api, clock, open, told, state } = start(t, { stays: '2s' });
  api.put(pod('Running'));
  open();
  await clock.advance(1500);
  assert.equal(state(), 'not-yet');
  api.put(pod('Failed'));
  await clock.advance(10);
  api.put(pod('Running'));
  await clock.advance(1900);
  assert.ok(!told.some(verdict => verdict.state === 'holds'));
  await clock.advance(200);
  assert.equal(state(), 'holds');
});

test('within: what still moves is not yet, what stands still is wrong', async t => {
  const { api, clock, open, state } = start(t, { within: '5s' });
  api.put(pod('Pending'));
  open();
  await clock.advance(4000);
  assert.equal(state(), 'not-yet');
  api.put(pod('Unknown'));
  await clock.advance(4000);
  assert.equal(state(), 'not-yet');
  await clock.advance(1500);
  assert.equal(state(), 'wrong');
});

test('the first diagnosis that fits is what the learner reads, else otherwise and what was seen', async t => {
  const { api, clock, open, told, ran } = start(t, {
    otherwise: say('還沒。', 'Not up.'),
    diagnose: [
      {
        ran: 'minikube image load',
        when: { status: { phase: 'Pending' } },
        say: say('映像檔', 'Images do not help.'),
      },
      { ref: { kind: 'Pod', name: 'rival' }, say: say('對手', 'A rival is there.') },
    ],
  });
  api.put(pod('Pending'));
  open();
  await clock.advance(10);
  assert.equal(told.at(-1)?.said?.en, 'Not up. Pod shop/web: status.phase is Pending, expected Running.');
  api.put(pod('Running', 'rival'));
  await clock.advance(400);
  assert.equal(told.at(-1)?.said?.en, 'A rival is there.');
  ran({ line: 'minikube image load x' });
  await clock.advance(10);
  assert.equal(told.at(-1)?.said?.en, 'Images do not help.');
  assert.equal(told.at(-1)?.findings?.[0]?.path, 'status.phase');
  for (let count = 0; count < 5; count++) ran({ line: 'kubectl get pods', endedAt: 9 });
  await clock.advance(10);
  assert.equal(told.at(-1)?.said?.en, 'A rival is there.', 'nobody is told for ever of what they tried once');
});

test('a cluster that goes away is ours to say, and is looked for again', async t => {
  const { api, clock, open, state } = start(t, {});
  api.put(pod('Running'));
  api.broken = new CouldNotLook(say('斷線', 'Away.'));
  open();
  await clock.advance(10);
  assert.equal(state(), 'could-not-look');
  api.broken = undefined;
  await clock.advance(3000);
  assert.equal(state(), 'holds');
});

test('a hundred checks of one kind share one list and one watch', async t => {
  const { api, clock, open } = start(t, {});
  api.put(pod('Running'));
  for (let count = 0; count < 100; count++) open();
  await clock.advance(100);
  assert.equal(api.lists, 1);
});
