// All of Kubeflow into a bare control plane with kubectl, as its documentation says: the 575 objects of December 2024 when
// KUBEFLOW_SEED_MANIFEST names the file; and always our own platform over the API, with nodes that run it.

import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { startPracticeWorker } from '../../server/practice/index.ts';
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
  if (!KUBECTL || !existsSync(SEED)) {
    console.log(
      'The 575 objects are not applied: KUBEFLOW_SEED_MANIFEST names no file, or there is no kubectl.',
    );
    return lines;
  }
  const first: number[] = [];
  const second: number[] = [];
  for (let run = 0; run < Math.min(runs, MOST_RUNS); run++) await applySeed(KUBECTL, first, second);
  line('575 objects: kubectl apply, the first pass', first, 5000);
  line('575 objects: kubectl apply --server-side', second, 8000);
  return lines;
}

async function applySeed(kubectl: string, first: number[], second: number[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kbd-seed-'));
  const cluster = await startPracticeWorker({ controlPlaneOnly: true, listen: { port: 0 } });
  try {
    const bytes = readFileSync(SEED);
    const kubeconfig = join(folder, 'kubeconfig');
    await writeFile(kubeconfig, cluster.kubeconfig(`https://127.0.0.1:${cluster.port}`), { mode: 0o600 });
    await writeFile(join(folder, 'seed.yaml'), SEED.endsWith('.gz') ? gunzipSync(bytes) : bytes);
    // Some objects are refused, as on a real control plane: kubectl then ends with an error.
    const apply = (...flags: string[]) =>
      new Promise<number>((resolve, reject) => {
        const begun = performance.now();
        const args = ['apply', ...flags, '-f', join(folder, 'seed.yaml')];
        const options = {
          // Its own cache of discovery, as on a new machine.
          env: { ...process.env, KUBECONFIG: kubeconfig, HOME: folder },
          timeout: TIMEOUT,
          maxBuffer: 64 * 1024 * 1024,
        };
        execFile(kubectl, args, options, (error, stdout) => {
          if (error?.killed || stdout === '') return reject(new Error(`kubectl apply: ${error?.message}`));
          resolve(performance.now() - begun);
        });
      });
    first.push(await apply());
    second.push(await apply('--server-side', '--force-conflicts'));
  } finally {
    await cluster.close();
    await rm(folder, { recursive: true, force: true });
  }
}
