// From Ctrl-C to the prompt while a command floods the terminal.

import { rm } from 'node:fs/promises';
import { connectTerminal } from '../support/terminal-client.ts';
import { startTestServer } from '../support/test-server.ts';
import type { Measured } from './main.ts';
import { smallLabs } from './small-lab.ts';

export async function flood(runs: number): Promise<Measured[]> {
  const labs = await smallLabs();
  const server = await startTestServer({ labs });
  const answer = await server.open({ lab: 'measuring' });
  if (!answer.ok) throw new Error(answer.note.en);
  const terminal = await connectTerminal(server.origin, answer.state.terminals[0]!.id, {
    cookie: server.cookie,
  });
  const values: number[] = [];
  for (let run = 0; run < runs; run++) {
    await terminal.prompt();
    terminal.run('yes');
    const before = terminal.received;
    await terminal.until(() => terminal.received > before + 1_000_000);
    const frames = terminal.frames.length;
    const begun = performance.now();
    terminal.type('\x03');
    await terminal.until(() =>
      terminal.frames.slice(frames).some(frame => frame.op === 'command' && !frame.running),
    );
    values.push(performance.now() - begun);
  }
  terminal.close();
  await server.close();
  await rm(labs, { recursive: true, force: true });
  return [{ name: 'Ctrl-C in a flood to prompt', unit: 'ms', values, budget: 200 }];
}
