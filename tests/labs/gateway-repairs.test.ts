// Whatever really makes room for the gateway is accepted, not only the written solution.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { realClock } from '../../server/clock.ts';
import { loadLab, openRehearsal } from '../../server/lab/index.ts';
import { KUBECTL, NO_KUBECTL } from '../support/kubectl.ts';

const LABS = join(import.meta.dirname, '../../labs');
/** A container that ends slowly holds its room for its grace period of 30 s. Milliseconds. */
const PATIENCE = 60_000;

const REPAIRS = {
  'scaling the database down': 'kubectl scale deployment mysql -n kubeflow --replicas=0',
  'deleting a component': 'kubectl delete deployment minio -n kubeflow',
  'lowering the gateway below what is left': `kubectl patch deployment istio-ingressgateway -n istio-system -p '{"spec":{"template":{"spec":{"containers":[{"name":"istio-proxy","resources":{"requests":{"cpu":"20m","memory":"40Mi"}}}]}}}}'`,
};

test('the gateway starts after any real repair', { timeout: 240_000, skip: NO_KUBECTL }, async t => {
  const lab = loadLab(LABS, 'gateway-pending');
  const clock = realClock();
  const stage = await openRehearsal({ lab, labs: LABS, clock, kubectl: KUBECTL });
  t.after(() => stage.close());
  await stage.attempt.ready;
  const step = (id: string) => stage.attempt.view().steps.find(candidate => candidate.id === id);

  for (const [name, repair] of Object.entries(REPAIRS)) {
    await t.test(name, async () => {
      await stage.type('kubectl get pods -A');
      await stage.type('kubectl describe pod -n istio-system -l app=istio-ingressgateway');
      await stage.attempt.answer('read-the-event', 'answer-2', 'both');
      await stage.attempt.answer('compare', 'allocatable', '4,194,300 KiB');
      await stage.attempt.answer('compare', 'request', '0.125Gi');
      assert.equal(step('compare')?.state, 'passed');
      assert.equal(await stage.type(repair), 0);
      const end = clock.now() + PATIENCE;
      while (step('make-room')?.state !== 'passed' && clock.now() < end) await clock.sleep(50);
      assert.equal(step('make-room')?.state, 'passed', JSON.stringify(step('make-room')?.checks, null, 1));
      await stage.attempt.reset();
    });
  }
});
