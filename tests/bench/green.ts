// From a change in the cluster to the green checkpoint on the page's socket.

import { rm } from 'node:fs/promises';
import type { AttemptView } from '#common/protocol/index.ts';
import { apiRequest } from '../support/api-request.ts';
import { startTestServer } from '../support/test-server.ts';
import type { Measured } from './main.ts';
import { openPage } from './page.ts';
import { GREEN_MAP, smallLabs } from './small-lab.ts';

export async function green(runs: number): Promise<Measured[]> {
  const labs = await smallLabs();
  const server = await startTestServer({ labs });
  const page = await openPage(server, 'measuring');
  const step = (state: string) => (attempt: AttemptView) =>
    attempt.status !== 'preparing' && attempt.steps[0]?.state === state;
  const values: number[] = [];
  await page.until(step('open'));
  for (let run = 0; run < runs; run++) {
    await apiRequest(page.kubeconfig, 'POST', '/api/v1/namespaces/default/configmaps', GREEN_MAP);
    // Counted from the moment the cluster has said yes.
    const begun = performance.now();
    await page.until(step('passed'));
    values.push(performance.now() - begun);
    await apiRequest(page.kubeconfig, 'DELETE', '/api/v1/namespaces/default/configmaps/green');
    await page.until(step('slipped'));
  }
  page.close();
  await server.close();
  await rm(labs, { recursive: true, force: true });
  return [{ name: 'state change to green checkpoint', unit: 'ms', values, budget: 200 }];
}
