// A learner's page as far as numbers need it: opens a lab, hears what the page's socket says, and says what buttons say.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import type { AttemptView, SessionMessage } from '#common/protocol/index.ts';
import type { TestServer } from '../support/test-server.ts';

const TIMEOUT = 60_000;

export interface Page {
  /** Text of the session's kubeconfig. */
  kubeconfig: string;
  /** Resolves as soon as the attempt, as the page was last told, is so. */
  until(wanted: (attempt: AttemptView) => boolean): Promise<void>;
  send(message: object): void;
  close(): void;
}

export async function openPage(server: TestServer, lab: string): Promise<Page> {
  const answer = await server.open({ lab });
  if (!answer.ok) throw new Error(answer.note.en);
  const { session } = answer.state;
  const socket = new WebSocket(`${server.origin.replace('http', 'ws')}/ws/session/${session}`, {
    headers: { cookie: server.cookie },
    origin: server.origin,
  });
  let attempt: AttemptView | undefined;
  const waiting = new Set<() => void>();
  socket.on('message', data => {
    const message = JSON.parse(String(data)) as SessionMessage;
    if (message.type === 'state') attempt = message.state.attempt;
    else if (message.type === 'attempt') attempt = message.attempt;
    else if (message.type === 'step' && attempt) {
      const { step } = message;
      attempt = { ...attempt, steps: attempt.steps.map(known => (known.id === step.id ? step : known)) };
    } else return;
    for (const look of waiting) look();
  });
  const kubeconfig = await readFile(join(server.data, 'run', session, 'kubeconfig'), 'utf8');
  return {
    kubeconfig,
    until: wanted =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`it stays ${JSON.stringify(attempt)}`)), TIMEOUT);
        const look = () => {
          if (!attempt || !wanted(attempt)) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    send: message => socket.send(JSON.stringify(message)),
    close: () => socket.terminate(),
  };
}
