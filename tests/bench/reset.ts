// From the click on "start over" or "back to this step" to a lab that can go on, with all of Kubeflow in the cluster and
// something to undo in it.

import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AttemptView } from '#common/protocol/index.ts';
import { apiRequest } from '../support/api-request.ts';
import { startTestServer } from '../support/test-server.ts';
import type { Measured } from './main.ts';
import { openPage, type Page } from './page.ts';
import { GREEN_MAP, smallLabs } from './small-lab.ts';

/** The cluster comes to rest, and the learner works, before each click, ms. */
const SETTLE = 1500;
const DEPLOYMENTS = '/apis/apps/v1/namespaces/kubeflow/deployments';
const MAPS = '/api/v1/namespaces/default/configmaps';

export async function reset(runs: number): Promise<Measured[]> {
  const labs = await smallLabs();
  const server = await startTestServer({ labs });
  const page = await openPage(server, 'platform');
  const running = (state: string) => (attempt: AttemptView) =>
    attempt.status !== 'preparing' && attempt.steps[0]?.state === state;
  try {
    await page.until(running('open'));
    const whole = await count(page);
    const damage = async () => {
      await apiRequest(page.kubeconfig, 'DELETE', DEPLOYMENTS);
      await sleep(SETTLE);
    };
    const timed = async (message: object, state: string) => {
      const begun = performance.now();
      page.send(message);
      await page.until(attempt => attempt.status === 'preparing');
      await page.until(running(state));
      const took = performance.now() - begun;
      if ((await count(page)) !== whole) throw new Error('The cluster did not come back whole.');
      return took;
    };
    const resets: number[] = [];
    const rewinds: number[] = [];
    for (let run = 0; run < runs; run++) {
      await damage();
      resets.push(await timed({ type: 'reset' }, 'open'));
    }
    await apiRequest(page.kubeconfig, 'POST', MAPS, GREEN_MAP);
    await page.until(attempt => attempt.steps[0]?.rewind === true);
    for (let run = 0; run < runs; run++) {
      await damage();
      rewinds.push(await timed({ type: 'rewind', step: 'make-it' }, 'passed'));
    }
    const line = (name: string, values: number[]): Measured => ({ name, unit: 'ms', values, budget: 100 });
    return [line('reset of a lab on all of Kubeflow', resets), line('rewind of it to a step', rewinds)];
  } finally {
    page.close();
    await server.close();
    await rm(labs, { recursive: true, force: true });
  }
}

const count = async ({ kubeconfig }: Page): Promise<number> =>
  (await apiRequest(kubeconfig, 'GET', DEPLOYMENTS)).items.length;
