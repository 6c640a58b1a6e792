// Resident memory of a server process: reading lessons, with one practice cluster, with ten.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Measured } from './main.ts';

/** Memory settles after garbage is collected, in milliseconds. */
const SETTLE = 3000;

export async function memory(): Promise<Measured[]> {
  const child: ChildProcess = fork(new URL('memory-child.ts', import.meta.url), {
    execArgv: ['--expose-gc'],
  });
  const ask = async (clusters: number): Promise<number> => {
    child.send({ clusters, settle: SETTLE });
    const [megabytes] = (await once(child, 'message')) as [number];
    return megabytes;
  };
  try {
    const none = await ask(0);
    const one = await ask(1);
    const ten = await ask(10);
    return [
      { name: 'memory of the server, no cluster', unit: 'MB', values: [none], budget: 150 },
      { name: 'memory of the server, 1 practice cluster', unit: 'MB', values: [one], budget: 300 },
      { name: 'memory of the server, 10 practice clusters', unit: 'MB', values: [ten], budget: 900 },
      { name: 'memory of each further practice cluster', unit: 'MB', values: [(ten - one) / 9], budget: 40 },
    ];
  } finally {
    child.kill('SIGKILL');
  }
}
