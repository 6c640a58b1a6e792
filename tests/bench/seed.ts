// All of Kubeflow into a bare control plane with kubectl, as its documentation says: the 575 objects of December 2024 when
// KUBEFLOW_SEED_MANIFEST names the file; and always our own platform over the API, with nodes that run it.

import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { KUBECTL } from '../support/kubectl.ts';
import { fill, startNeighbours } from '../support/neighbours.ts';
import type { Measured } from './main.ts';

const SEED = process.env.KUBEFLOW_SEED_MANIFEST ?? '';
const TIMEOUT = 120_000;
/** Each takes seconds; their spread is small. */
const MOST_RUNS = 3;

export async function seed(runs: number): Promise<Measured[]> {
  const lines: Measured[] = [];
  const line = (name: string, values: number[], budget: number) =>
    lines.push({ name, unit: 'ms', values, budget });
  const filled: number[] = [];
  for (let run = 0; run < Math.min(runs, MOST_RUNS); run++) {
    const { all, close } = await startNeighbours(1, { filled: false });
    const begun = performance.now();
    await fill(all[0]!.kubeconfig);
    filled.push(performance.now() - begun);
    await close();
  }
  line('our Kubeflow over the API', filled, 2000);
  if (!applySeed) {
    console.log(
      'The 575 objects are not applied: KUBEFLOW_SEED_MANIFEST names no file, or there is no kubectl.',
    );
    return lines;
  }
  const first: number[] = [];
  const second: number[] = [];
  for (let run = 0; run < Math.min(runs, MOST_RUNS); run++) {
    const { all, close } = await startNeighbours(1, { filled: false, controlPlaneOnly: true });
    try {
      first.push(await applySeed(all[0]!.kubeconfig));
      second.push(await applySeed(all[0]!.kubeconfig, '--server-side', '--force-conflicts'));
    } finally {
      await close();
    }
  }
  line('575 objects: kubectl apply, the first pass', first, 5000);
  line('575 objects: kubectl apply --server-side', second, 8000);
  return lines;
}

/** How the 575 objects go into a cluster, each way in its time, ms; undefined without the file or kubectl. */
export const applySeed: ((kubeconfig: string, ...flags: string[]) => Promise<number>) | undefined =
  KUBECTL && existsSync(SEED)
    ? (kubeconfig, ...flags) => apply(KUBECTL as string, kubeconfig, flags)
    : undefined;

async function apply(kubectl: string, kubeconfig: string, flags: string[]): Promise<number> {
  const home = await mkdtemp(join(tmpdir(), 'kbd-seed-'));
  const bytes = readFileSync(SEED);
  const file = join(home, 'seed.yaml');
  await writeFile(file, SEED.endsWith('.gz') ? gunzipSync(bytes) : bytes);
  // A home of its own: no discovery is cached, as on a new machine.
  const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: home };
  const options = { env, timeout: TIMEOUT, maxBuffer: 64 * 1024 * 1024 };
  try {
    return await new Promise((resolve, reject) => {
      const begun = performance.now();
      // Some objects are refused, as on a real control plane: kubectl then ends with an error.
      execFile(kubectl, ['apply', ...flags, '-f', file], options, (error, stdout) => {
        if (error?.killed || stdout === '') return reject(new Error(`kubectl apply: ${error?.message}`));
        resolve(performance.now() - begun);
      });
    });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
