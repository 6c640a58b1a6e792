// From the click on a lesson's lab to the shell's prompt on the page: cluster, sandbox, shell.

import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectTerminal } from '../support/terminal-client.ts';
import { startTestServer } from '../support/test-server.ts';
import type { Measured } from './main.ts';
import { smallLabs } from './small-lab.ts';

/** What the server makes ready after a page was read for some seconds; in milliseconds. */
const SPARE_WITHIN = 15_000;
/** A cluster that listens has its node and system pods a moment later; in milliseconds. */
const SETTLE = 2500;

export async function prompt(runs: number): Promise<Measured[]> {
  const labs = await smallLabs();
  const first: number[] = [];
  const later: number[] = [];
  const read: number[] = [];
  const back: number[] = [];
  for (let run = 0; run < runs; run++) {
    const server = await startTestServer({ labs });
    const click = async (values: number[]) => {
      const begun = performance.now();
      const answer = await server.open({ lab: 'measuring' });
      if (!answer.ok) throw new Error(answer.note.en);
      const terminal = await connectTerminal(server.origin, answer.state.terminals[0]!.id, {
        cookie: server.cookie,
      });
      await terminal.prompt();
      values.push(performance.now() - begun);
      terminal.close();
    };
    // The very first click of this process also loads the code; the server warms up while a lesson is read.
    await click(run === 0 ? first : later);
    await click(back);
    await server.close();
  }
  for (let run = 0; run < runs; run++) {
    const server = await startTestServer({ labs });
    // As a page does when it opens; the learner reads while the server gets ready.
    await fetch(`${server.origin}/api/status`, { headers: { cookie: server.cookie } });
    const spare = join(server.data, 'run', 'spare', 'spare-1.sock');
    for (let waited = 0; !existsSync(spare); waited += 50) {
      if (waited > SPARE_WITHIN) throw new Error('No spare cluster was made ready.');
      await sleep(50);
    }
    await sleep(SETTLE);
    const begun = performance.now();
    const answer = await server.open({ lab: 'measuring' });
    if (!answer.ok) throw new Error(answer.note.en);
    const terminal = await connectTerminal(server.origin, answer.state.terminals[0]!.id, {
      cookie: server.cookie,
    });
    await terminal.prompt();
    read.push(performance.now() - begun);
    terminal.close();
    await server.close();
  }
  await rm(labs, { recursive: true, force: true });
  return [
    { name: 'click to prompt, the first one of a cold process', unit: 'ms', values: first, budget: 4000 },
    ...(later.length > 0
      ? [{ name: 'click to prompt', unit: 'ms' as const, values: later, budget: 1500 }]
      : []),
    { name: 'click to prompt, after a lesson was read', unit: 'ms', values: read, budget: 700 },
    { name: 'click to prompt, session open (reload, other tab)', unit: 'ms', values: back, budget: 200 },
  ];
}
