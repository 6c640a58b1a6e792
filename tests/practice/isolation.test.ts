// Clusters beside each other in one process: what a badly behaved one does to the others. Few and small here; the bench
// `isolation` has twenty.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  fill,
  type Neighbours,
  residentMb,
  runPod,
  sample,
  shellPod,
  startNeighbours,
  until,
} from '../support/neighbours.ts';

/** How long each burden is watched, ms. */
const WATCHED = 1000;
/** A call over a new TLS connection on a machine that has other work as well: far from the seconds of a stalled thread, ms. */
const RESPONSIVE = 300;
/** What a burden may add: a log, some shells, and garbage that is not collected yet, MB. */
const BOUNDED = 150;
/** A main thread this late would be felt at a terminal, ms. */
const FELT = 250;

describe('clusters beside each other', () => {
  let clusters: Neighbours;
  before(async () => {
    clusters = await startNeighbours(2, { filled: false });
  });
  after(() => clusters.close());

  const namespace = () => clusters.all[0]!.ask('GET', '/api/v1/namespaces/default');
  const burdens: [string, string][] = [
    ['an endless loop', 'while true; do :; done'],
    ['a flood of lines', 'while true; do echo all work and no play makes a long log; done'],
    ['a program that only prints', 'yes'],
    ['a program that starts itself again and again', 'while true; do sleep 100 & done'],
    ['a crash loop', 'exit 1'],
  ];
  for (const [title, script] of burdens) {
    test(`${title} in one stalls neither another nor its own API`, { timeout: 60_000 }, async () => {
      const [, busy] = clusters.all;
      const name = `burden-${burdens.findIndex(([other]) => other === title)}`;
      const before = residentMb().now;
      await runPod(busy!, shellPod(name, script));
      const late = lateness();
      const other = await sample(namespace, sleep(WATCHED));
      const own = await sample(() => busy!.ask('GET', '/api/v1/namespaces/default'), sleep(WATCHED));
      assert.ok(other.median < RESPONSIVE, `the other cluster took ${other.median} ms`);
      assert.ok(own.median < RESPONSIVE, `its own cluster took ${own.median} ms`);
      assert.ok(late() < FELT, `the main thread was ${late()} ms late`);
      const grown = residentMb().now - before;
      assert.ok(grown < BOUNDED, `${grown} MB more`);
      const path = `/api/v1/namespaces/default/pods/${name}`;
      await busy!.ask('DELETE', `${path}?gracePeriodSeconds=0`);
      await until(
        () =>
          busy!.ask('GET', path).then(
            () => false,
            () => true,
          ),
        15_000,
      );
    });
  }

  test('one answers while another is filled with all of Kubeflow', async () => {
    const [, busy] = clusters.all;
    const answers = await sample(namespace, fill(busy!.kubeconfig));
    assert.ok(answers.median < RESPONSIVE, `${answers.median} ms`);
    const { items } = await busy!.ask('GET', '/api/v1/namespaces/kubeflow/pods');
    assert.ok(items.length > 30, `${items.length} pods`);
  });
});

/** How late this thread's timers were since it was called: the median, ms. */
function lateness(): () => number {
  const found: number[] = [];
  let due = performance.now() + 20;
  const timer = setInterval(() => {
    const now = performance.now();
    found.push(Math.max(0, now - due));
    due = now + 20;
  }, 20);
  return () => {
    clearInterval(timer);
    found.sort((a, b) => a - b);
    return found[found.length >> 1] ?? 0;
  };
}
