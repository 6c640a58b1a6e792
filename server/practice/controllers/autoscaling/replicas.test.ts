import assert from 'node:assert/strict';
import { test } from 'node:test';
import { desiredReplicas, growthLimit, type PodUse, shrinkLimit } from './replicas.ts';

const pods = (...uses: (number | undefined)[]): PodUse[] =>
  uses.map((use, i) => ({ name: `p${i}`, ready: true, use, request: 100 }));
const replicas = (list: PodUse[], utilization = 50) =>
  desiredReplicas(list, list.length, { utilization })?.replicas;

test('the number of replicas brings the average to the target', () => {
  assert.equal(replicas(pods(100, 100)), 4);
  assert.equal(replicas(pods(10, 10, 10, 10)), 1);
  assert.deepEqual(desiredReplicas(pods(100, 100), 2, { average: 50 }), { replicas: 4, average: 100 });
});

test('a deviation of a tenth or less changes nothing', () => {
  assert.equal(replicas(pods(55, 55)), 2);
  assert.equal(replicas(pods(56, 56)), 3);
});

test('pods without a measurement are taken as idle when growing and as busy when shrinking', () => {
  assert.equal(replicas(pods(100, undefined)), 2);
  assert.equal(replicas(pods(10, 10, undefined, undefined)), 3);
});

test('pods that are not ready hold growth back', () => {
  const list = pods(100, 100);
  assert.equal(replicas([...list, { name: 'new', ready: false, use: undefined, request: 100 }]), 4);
  assert.equal(
    replicas([
      ...list,
      ...pods(0).map(p => ({ ...p, ready: false })),
      ...pods(0).map(p => ({ ...p, ready: false })),
    ]),
    4,
  );
  assert.equal(
    desiredReplicas([{ name: 'new', ready: false, use: 5, request: 1 }], 1, { utilization: 50 }),
    undefined,
  );
});

test('growth is bounded by the more generous default, shrinking is not', () => {
  const none = () => 0;
  assert.equal(growthLimit(1, undefined, none), 5);
  assert.equal(growthLimit(10, undefined, none), 20);
  assert.equal(growthLimit(10, { selectPolicy: 'Disabled' }, none), 10);
  assert.equal(
    growthLimit(10, { policies: [{ type: 'Pods', value: 2, periodSeconds: 60 }] }, () => 1),
    11,
  );
  assert.equal(shrinkLimit(10, undefined, none), 0);
  assert.equal(shrinkLimit(10, { policies: [{ type: 'Percent', value: 10, periodSeconds: 60 }] }, none), 9);
});
