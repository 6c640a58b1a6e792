import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '../../../clock.ts';
import type { KubeObject } from '../../../kube/index.ts';
import { EVENTS } from '../resources.ts';
import { createEventSink } from './events.ts';
import { FakeApi } from './fake-api.ts';

const POD: KubeObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'demo', uid: 'u1', resourceVersion: '7' },
};

function sink() {
  const api = new FakeApi();
  const clock = fakeClock();
  const made = createEventSink({ client: api.client(), clock });
  const list = () => [...api.objects.values()];
  return { api, clock, made, list };
}
const settle = () => new Promise(resolve => setImmediate(resolve));

test('an event carries its object, its source and one count', async () => {
  const { made, list } = sink();
  made
    .recorder({ component: 'kubelet', host: 'minikube' })
    .event(POD, 'Normal', 'Started', 'Container started', 'spec.containers{c}');
  await settle();
  const [event] = list();
  assert.match(event?.metadata.name ?? '', /^web\.[0-9a-f]{16}$/);
  const { metadata: _m, ...rest } = event as KubeObject;
  assert.deepEqual(rest, {
    apiVersion: 'v1',
    kind: 'Event',
    involvedObject: {
      kind: 'Pod',
      namespace: 'demo',
      name: 'web',
      uid: 'u1',
      apiVersion: 'v1',
      resourceVersion: '7',
      fieldPath: 'spec.containers{c}',
    },
    reason: 'Started',
    message: 'Container started',
    source: { component: 'kubelet', host: 'minikube' },
    firstTimestamp: '2026-11-23T23:10:00Z',
    lastTimestamp: '2026-11-23T23:10:00Z',
    count: 1,
    type: 'Normal',
    eventTime: null,
    reportingComponent: 'kubelet',
    reportingInstance: 'minikube',
  });
});

test('repeats are counted on the first event', async () => {
  const { clock, made, list } = sink();
  const recorder = made.recorder({ component: 'c' });
  for (let i = 0; i < 3; i++) {
    recorder.event(POD, 'Warning', 'BackOff', 'again');
    await clock.advance(10_000);
  }
  const events = list();
  assert.equal(events.length, 1);
  assert.deepEqual(
    [events[0]?.['count'], events[0]?.['firstTimestamp'], events[0]?.['lastTimestamp']],
    [3, '2026-11-23T23:10:00Z', '2026-11-23T23:10:20Z'],
  );
});

test('from the tenth different message on, look-alikes are folded', async () => {
  const { made, list } = sink();
  const recorder = made.recorder({ component: 'c' });
  for (let i = 0; i < 12; i++) recorder.event(POD, 'Warning', 'FailedCreate', `no ${i}`);
  await settle();
  const messages = list().map(e => e['message']);
  assert.equal(messages.length, 10);
  assert.equal(messages.at(-1), '(combined from similar events): no 11');
  assert.equal(list().at(-1)?.['count'], 3);
});

test('a flood about one object stops at twenty-five, then one in five minutes', async () => {
  const { clock, made, list } = sink();
  const recorder = made.recorder({ component: 'c' });
  for (let i = 0; i < 40; i++) recorder.event(POD, 'Normal', `Reason${i}`, 'x');
  await settle();
  assert.equal(list().length, 25);
  await clock.advance(300_000);
  for (let i = 0; i < 3; i++) recorder.event(POD, 'Normal', `Later${i}`, 'x');
  await settle();
  assert.equal(list().length, 26);
});

test('an action has a moment and no count; the same one again makes a series', async () => {
  const { clock, made, list } = sink();
  const recorder = made.recorder({ component: 'default-scheduler', host: 'vm' });
  recorder.action(POD, 'Warning', 'FailedScheduling', 'Scheduling', 'no nodes');
  await clock.advance(1500);
  recorder.action(POD, 'Warning', 'FailedScheduling', 'Scheduling', 'no nodes');
  const changed = { ...POD, metadata: { ...POD.metadata, resourceVersion: '8' } };
  recorder.action(changed, 'Warning', 'FailedScheduling', 'Scheduling', 'no nodes');
  await settle();
  const [first, second] = list();
  assert.deepEqual(first?.['series'], { count: 2, lastObservedTime: '2026-11-23T23:10:01.500000Z' });
  assert.deepEqual(
    [first?.['eventTime'], first?.['reportingInstance'], first?.['count']],
    ['2026-11-23T23:10:00.000000Z', 'default-scheduler-vm', undefined],
  );
  assert.equal(
    second?.['involvedObject'].resourceVersion,
    '8',
    'a changed object starts another event, as recorded',
  );
});

test('an event that expired is started anew', async () => {
  const { api, made, list } = sink();
  const recorder = made.recorder({ component: 'c' });
  recorder.event(POD, 'Normal', 'R', 'm');
  await settle();
  api.remove(EVENTS, 'demo', list()[0]?.metadata.name ?? '');
  recorder.event(POD, 'Normal', 'R', 'm');
  await settle();
  assert.deepEqual(
    list().map(e => e['count']),
    [1],
  );
});

test('two sinks that name an event alike both keep theirs', async () => {
  const api = new FakeApi();
  const clock = fakeClock();
  for (const component of ['a', 'b'])
    createEventSink({ client: api.client(), clock })
      .recorder({ component })
      .event(POD, 'Normal', 'R', component);
  await settle();
  assert.deepEqual([...api.objects.values()].map(e => e['message']).sort(), ['a', 'b']);
});
