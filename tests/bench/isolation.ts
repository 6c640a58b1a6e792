// Twenty practice clusters with all of Kubeflow in each: what they cost at rest, and what one notices of the others.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { KUBECTL } from '../support/kubectl.ts';
import {
  cpuMillis,
  fill,
  type Neighbour,
  residentMb,
  runPod,
  sample,
  shellPod,
  startNeighbours,
} from '../support/neighbours.ts';
import type { Measured } from './main.ts';
import { applySeed } from './seed.ts';

const CLUSTERS = Number(process.env.BENCH_CLUSTERS ?? 20);
/** Until the last one's pods have all become ready, ms. */
const SETTLE = 10_000;
const WATCHED = 4000;
const BURDENS = ['while true; do :; done', 'while true; do echo all work and no play; done', 'exit 1'];

interface Shell {
  /** Resolves when the command has ended, however it ended. */
  run(command: string): Promise<unknown>;
  end(): void;
}

/**
 * A shell as a learner has one. A command is started from it, not from this process: to fork a process as large as twenty
 * clusters takes 100 ms and more, which no learner ever waits for.
 */
function startShell(): Shell {
  const child = spawn('sh', ['-c', 'while read -r command; do $command >/dev/null; echo; done'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = createInterface({ input: child.stdout });
  return {
    run: command => {
      const done = once(ended, 'line');
      child.stdin.write(`${command}\n`);
      return done;
    },
    end: () => child.stdin.end(),
  };
}

/** What a learner's `kubectl get pods` takes; without kubectl, the request it makes. */
const get = (of: Neighbour, shell: Shell) =>
  KUBECTL
    ? shell.run(`${KUBECTL} --kubeconfig ${of.kubeconfig} -n kubeflow get pods`)
    : of.ask('GET', '/api/v1/namespaces/kubeflow/pods');

export async function isolation(): Promise<Measured[]> {
  const shell = startShell();
  const before = residentMb().now;
  const clusters = await startNeighbours(CLUSTERS, { filled: true });
  const [one, ...others] = clusters.all;
  try {
    await sleep(SETTLE);
    const memory = (residentMb().now - before) / CLUSTERS;
    const cpu = cpuMillis();
    await sleep(WATCHED);
    const idle = (100 * (cpuMillis() - cpu)) / WATCHED;
    const quiet = await sample(() => get(one!, shell), sleep(WATCHED));

    const extra = await startNeighbours(1, { filled: false, controlPlaneOnly: applySeed !== undefined });
    const filling = await sample(() => get(one!, shell), (applySeed ?? fill)(extra.all[0]!.kubeconfig));
    await extra.close();

    await Promise.all(
      BURDENS.map((script, index) =>
        runPod(others[index % others.length]!, shellPod(`burden-${index}`, script)),
      ),
    );
    const burdened = await sample(() => get(one!, shell), sleep(WATCHED));
    const line = (name: string, values: number[]): Measured => ({ name, unit: 'ms', values, budget: 300 });
    return [
      { name: `${CLUSTERS} filled clusters: memory of each`, unit: 'MB', values: [memory], budget: 100 },
      { name: `${CLUSTERS} filled clusters: CPU at rest`, unit: '%', values: [idle], budget: 40 },
      line(`${CLUSTERS} filled clusters: kubectl get`, quiet.millis),
      line(
        applySeed ? '... while another one takes 575 objects' : '... while another one is filled',
        filling.millis,
      ),
      line('... while others loop, flood and crash', burdened.millis),
    ];
  } finally {
    shell.end();
    await clusters.close();
  }
}
