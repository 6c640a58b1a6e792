// A cluster for tests and the commands typed against it. Starts a practice cluster, or uses the one that
// CONFORMANCE_KUBECONFIG names; runs kubectl in a folder of its own. Knows no expected words.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { copyFile, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { parse } from 'yaml';
import { realClock } from '../../server/clock.ts';
import type { PracticeCluster, PracticeOptions } from '../../server/practice/index.ts';
import { seededRandom } from '../../server/random.ts';
import { KUBECTL } from './kubectl.ts';

export { KUBECTL, KUBECTL_VERSIONS, NO_KUBECTL } from './kubectl.ts';

export interface Output {
  /** stdout and stderr as they came. */
  text: string;
  stdout: string;
  stderr: string;
  /** 124 when the time was over, as timeout(1). */
  code: number;
}

export interface RunOptions {
  stdin?: string;
  /** Another kubectl binary. */
  kubectl?: string;
  /** Milliseconds; 30 s when absent. */
  timeout?: number;
  env?: Record<string, string>;
}

export interface TestCluster {
  /** `https://127.0.0.1:41231` */
  url: string;
  kubeconfig: string;
  /** A folder that goes away with the cluster. */
  folder: string;
  /** Absent on a cluster that is not ours. */
  practice?: PracticeCluster;
  /** False on a bare control plane. */
  hasNodes: boolean;
  /** Runs a bash command line in which `kubectl` is the binary under test. */
  sh(command: string, options?: RunOptions): Promise<Output>;
  kubectl(args: readonly string[], options?: RunOptions): Promise<Output>;
  close(): Promise<void>;
}

/** The cluster that a whole test file uses; it is closed after the file's tests. */
export function sharedCluster(options: Partial<PracticeOptions> = {}): () => Promise<TestCluster> {
  let cluster: Promise<TestCluster> | undefined;
  after(async () => (await cluster)?.close());
  return () => {
    cluster ??= startCluster(options);
    return cluster;
  };
}

export async function startCluster(options: Partial<PracticeOptions> = {}): Promise<TestCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'practice-test-'));
  if (KUBECTL) await symlink(KUBECTL, join(folder, 'kubectl'));
  const foreign = process.env.CONFORMANCE_KUBECONFIG;
  if (foreign) {
    const hasNodes = process.env.CONFORMANCE_CONTROL_PLANE_ONLY !== '1';
    // Tests change contexts; the file of the caller stays as it is.
    const kubeconfig = join(folder, 'kubeconfig');
    await copyFile(foreign, kubeconfig);
    return handle({ folder, kubeconfig, url: serverOf(foreign), hasNodes, stop: async () => {} });
  }
  const { createPracticeCluster } = await import('../../server/practice/index.ts');
  const practice = await createPracticeCluster({
    clock: realClock(),
    random: seededRandom(20261124),
    listen: { port: 0 },
    ...options,
  });
  const url = `https://127.0.0.1:${practice.port}`;
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, practice.kubeconfig(url), { mode: 0o600 });
  return handle({
    folder,
    kubeconfig,
    url,
    practice,
    hasNodes: !options.controlPlaneOnly,
    stop: () => practice.close(),
  });
}

function handle(
  parts: Omit<TestCluster, 'sh' | 'kubectl' | 'close'> & { stop(): Promise<void> },
): TestCluster {
  const { folder, kubeconfig, stop } = parts;
  const run = (
    file: string,
    args: readonly string[],
    { stdin, kubectl, timeout = 30_000, env }: RunOptions = {},
  ) =>
    spawnAndRead(file, args, stdin, timeout, {
      PATH: `${folder}:${process.env.PATH ?? ''}`,
      HOME: folder,
      KUBECONFIG: kubeconfig,
      KUBECACHEDIR: join(folder, `cache-${kubectl ? kubectl.split('.').at(-1) : 'default'}`),
      KUBE_EDITOR: 'true',
      LANG: 'C.UTF-8',
      TMPDIR: folder,
      ...env,
    });
  return {
    ...parts,
    sh: (command, options) => {
      const other = options?.kubectl
        ? `kubectl() { command ${JSON.stringify(options.kubectl)} "$@"; }\n`
        : '';
      return run('bash', ['-c', other + command], options);
    },
    kubectl: (args, options) => run(options?.kubectl ?? join(folder, 'kubectl'), args, options),
    async close() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function spawnAndRead(
  file: string,
  args: readonly string[],
  stdin: string | undefined,
  timeout: number,
  env: Record<string, string>,
): Promise<Output> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env, cwd: env.HOME, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    const output: Output = { text: '', stdout: '', stderr: '', code: 0 };
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      // The whole group: bash leaves kubectl behind when it is killed.
      if (child.pid) process.kill(-child.pid, 'SIGKILL');
    }, timeout);
    child.stdout.on('data', (chunk: Buffer) => {
      output.stdout += chunk;
      output.text += chunk;
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output.stderr += chunk;
      output.text += chunk;
    });
    child.stdin.on('error', () => {});
    child.stdin.end(stdin ?? '');
    child.once('error', reject);
    child.once('close', code => {
      clearTimeout(timer);
      resolve({ ...output, code: late ? 124 : (code ?? 1) });
    });
  });
}

function serverOf(kubeconfig: string): string {
  const { clusters } = parse(readFileSync(kubeconfig, 'utf8')) as {
    clusters: { cluster: { server: string } }[];
  };
  return clusters[0]?.cluster.server ?? '';
}
