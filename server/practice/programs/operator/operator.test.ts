// The loop under every operator, against an API in memory and a ticked clock: what it keeps, heals, retries and says.

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { fakeClock } from '../../../clock.ts';
import { type ApiClient, forbidden, type KubeObject } from '../../../kube/index.ts';
import { seededRandom } from '../../../random.ts';
import { FakeApi } from '../../node/fake-api.ts';
import type { Container } from '../types.ts';
import {
  type Controller,
  controlledBy,
  controllerRuntime,
  createIfAbsent,
  runOperator,
  watched,
  writeStatus,
  zapJson,
} from './index.ts';

const GARDEN = watched('example.com/v1', 'Garden');
const POD = watched('v1', 'Pod');
const EVENT = watched('v1', 'Event');

/** Wants one pod a garden, and counts it. */
const gardener: Controller = {
  name: 'garden',
  for: GARDEN,
  owns: [POD],
  async reconcile(key, operator) {
    const garden = operator.get(GARDEN, key);
    if (!garden) return undefined;
    const { created } = await createIfAbsent(operator, POD, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...key, ownerReferences: [controlledBy(garden)] },
    });
    if (created) operator.events.record(garden, 'Normal', 'Planted', `Created pod ${key.name}`);
    await writeStatus(operator, GARDEN, garden, { pods: operator.owned(POD, garden).length });
    return undefined;
  },
};

function start(
  t: TestContext,
  controller = gardener,
  change: (api: FakeApi) => Partial<ApiClient> = () => ({}),
) {
  const clock = fakeClock();
  const fake = new FakeApi(clock);
  const api: ApiClient = {
    get: (resource, key) => fake.get(resource, key),
    list: (resource, options) => fake.list(resource, options),
    create: (resource, object) => fake.create(resource, object),
    update: (resource, object, subresource) => fake.update(resource, object, subresource),
    patch: (resource, key, type, patch) => fake.patch(resource, key, type, patch),
    delete: (resource, key, options) => fake.delete(resource, key, options),
    watch: (resource, options, onEvent) => fake.watch(resource, options, onEvent),
    ...change(fake),
  };
  const life = new AbortController();
  const log: string[] = [];
  const container = {
    pod: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'op' }, spec: { containers: [{ name: 'c' }] } },
    name: 'c',
    clock,
    random: seededRandom(1),
    signal: life.signal,
    api,
    logError: (line: string) => log.push(line),
  } as unknown as Container;
  const ended = runOperator(container, {
    component: 'garden-controller',
    habits: controllerRuntime(container, zapJson(container)),
    controllers: [controller],
  });
  t.after(() => life.abort('SIGKILL'));
  return { api: fake, clock, log, ended, life, messages: () => log.map(line => JSON.parse(line).msg) };
}

const garden: KubeObject = {
  apiVersion: 'example.com/v1',
  kind: 'Garden',
  metadata: { namespace: 'yard', name: 'herbs', uid: 'uid-1' },
};
const KEY = { namespace: 'yard', name: 'herbs' };

describe('an operator', () => {
  it('makes a child with its owner, writes the status once, and makes the child again when it is deleted', async t => {
    const { api, clock, messages } = start(t);
    await clock.advance(20);
    assert.deepEqual(messages(), [
      'Starting EventSource',
      'Starting EventSource',
      'Starting Controller',
      'Starting workers',
    ]);
    await api.create(GARDEN, garden);
    await clock.advance(100);
    const pod = await api.get(POD, KEY);
    assert.deepEqual(pod.metadata.ownerReferences, [
      {
        apiVersion: 'example.com/v1',
        kind: 'Garden',
        name: 'herbs',
        uid: 'uid-1',
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
    assert.equal((await api.get(GARDEN, KEY))['status'].pods, 1);
    const [event] = (await api.list(EVENT)).items;
    assert.equal(
      `${event?.['source'].component} ${event?.['reason']} ${event?.['message']}`,
      'garden-controller Planted Created pod herbs',
    );

    const before = api.writes;
    await clock.advance(60_000);
    assert.equal(api.writes, before, 'nothing changed, so nothing is written');

    await api.delete(POD, KEY, { gracePeriodSeconds: 0 });
    await clock.advance(100);
    assert.ok(await api.get(POD, KEY));
  });

  it('takes up what was there before it started, and ends with 0 on SIGTERM', async t => {
    const { api, clock, ended, life } = start(t);
    await api.create(GARDEN, garden);
    await clock.advance(100);
    assert.ok(await api.get(POD, KEY));
    life.abort('SIGTERM');
    assert.equal(await ended, 0);
    await api.delete(POD, KEY, { gracePeriodSeconds: 0 });
    await clock.advance(10_000);
    await assert.rejects(api.get(POD, KEY), /not found/);
  });

  it('says what it was refused, and tries again after pauses that grow', async t => {
    let allowed = false;
    const { api, clock, log } = start(t, gardener, fake => ({
      create: async (resource, object) => {
        if (!allowed && resource.resource === 'pods')
          throw forbidden({ group: '', resource: 'pods' }, '', 'User "op" cannot create resource "pods"');
        return fake.create(resource, object);
      },
    }));
    await api.create(GARDEN, garden);
    const failures = () => log.map(line => JSON.parse(line)).filter(({ msg }) => msg === 'Reconciler error');
    await clock.advance(10_000);
    const [first] = failures();
    assert.match(first.error, /pods is forbidden: User "op" cannot create/);
    assert.equal(first.controllerKind, 'Garden');
    assert.deepEqual(first.Garden, { name: 'herbs', namespace: 'yard' });
    const so_far = failures().length;
    assert.ok(so_far > 5 && so_far < 15, `${so_far} tries in ten seconds`);
    allowed = true;
    await clock.advance(30_000);
    assert.ok(await api.get(POD, KEY));
  });

  it('looks again when a reconcile asks for it', async t => {
    const times: number[] = [];
    const { api, clock } = start(t, {
      ...gardener,
      async reconcile() {
        times.push(clock.now());
        return times.length < 3 ? 1_000 : undefined;
      },
    });
    await api.create(GARDEN, garden);
    await clock.advance(10_000);
    assert.equal(times.length, 3);
    assert.equal(Math.round((times[2]! - times[1]!) / 100), 10);
  });

  it('logs a list that is refused in the words of client-go, and goes on once it may', async t => {
    let allowed = false;
    const { api, clock, log } = start(t, gardener, fake => ({
      list: async (resource, more) => {
        if (!allowed && resource.resource === 'gardens')
          throw forbidden(GARDEN, '', 'User "op" cannot list resource "gardens"');
        return fake.list(resource, more);
      },
    }));
    await api.create(GARDEN, garden);
    await clock.advance(1_000);
    assert.match(
      log.at(-1)!,
      /^E1123 23:10:0.*reflector\.go.*Failed to watch \*v1\.Garden: failed to list \*v1\.Garden: gardens\.example\.com is forbidden: User "op"/,
    );
    allowed = true;
    await clock.advance(10_000);
    assert.ok(await api.get(POD, KEY));
  });

  it('waits for a kind that is not served, and gives up after two minutes', async t => {
    const served: string[] = ['Pod'];
    const { clock, ended, messages } = start(t, gardener, () => ({
      discover: async () => served.map(kind => ({ kind, resource: '' })),
    }));
    await clock.advance(35_000);
    assert.equal(
      messages().filter(text => text === 'if kind is a CRD, it should be installed before calling Start')
        .length,
      4,
    );
    assert.ok(!messages().includes('Starting workers'));
    await clock.advance(90_000);
    assert.equal(await ended, 1);
    assert.equal(messages().at(-1), 'problem running manager');
  });
});
