// From a change in the cluster to the green checkpoint on the page's socket.

import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import type { SessionMessage } from '#common/protocol/index.ts';
import { apiRequest } from '../support/api-request.ts';
import { startTestServer } from '../support/test-server.ts';
import type { Measured } from './main.ts';
import { smallLabs } from './small-lab.ts';

const MAP = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'green', namespace: 'default' },
  data: { go: 'yes' },
};

export async function green(runs: number): Promise<Measured[]> {
  const labs = await smallLabs();
  const server = await startTestServer({ labs });
  const answer = await server.open({ lab: 'measuring' });
  if (!answer.ok) throw new Error(answer.note.en);
  const { session } = answer.state;
  const socket = new WebSocket(`${server.origin.replace('http', 'ws')}/ws/session/${session}`, {
    headers: { cookie: server.cookie },
    origin: server.origin,
  });
  const messages: SessionMessage[] = [];
  const waiting = new Set<() => void>();
  socket.on('message', data => {
    messages.push(JSON.parse(String(data)) as SessionMessage);
    for (const look of waiting) look();
  });
  /** The state of the lab's only step, as the page was last told. */
  const state = () => {
    for (const message of messages.toReversed()) {
      if (message.type === 'step') return message.step.state;
      const attempt =
        message.type === 'attempt'
          ? message.attempt
          : message.type === 'state'
            ? message.state.attempt
            : undefined;
      if (attempt) return attempt.status === 'preparing' ? 'preparing' : attempt.steps[0]?.state;
    }
    return undefined;
  };
  const until = (wanted: (state: string | undefined) => boolean) =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the step is ${state()}`)), 20_000);
      const look = () => {
        if (!wanted(state())) return;
        clearTimeout(timer);
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  const kubeconfig = await readFile(join(server.data, 'run', session, 'kubeconfig'), 'utf8');
  const values: number[] = [];
  await until(now => now === 'open');
  for (let run = 0; run < runs; run++) {
    await apiRequest(kubeconfig, 'POST', '/api/v1/namespaces/default/configmaps', MAP);
    // Counted from the moment the cluster has said yes.
    const begun = performance.now();
    await until(now => now === 'passed');
    values.push(performance.now() - begun);
    await apiRequest(kubeconfig, 'DELETE', '/api/v1/namespaces/default/configmaps/green');
    await until(now => now === 'slipped');
  }
  socket.terminate();
  await server.close();
  await rm(labs, { recursive: true, force: true });
  return [{ name: 'state change to green checkpoint', unit: 'ms', values, budget: 200 }];
}
