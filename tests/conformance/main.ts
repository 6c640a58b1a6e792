// Behind `npm run conformance`: runs this folder's tests against the practice cluster, a cluster of a kubeconfig, or a real
// etcd and kube-apiserver. A difference between them is a bug in the practice cluster.

import { spawn } from 'node:child_process';
import { glob } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startControlPlane } from '../support/control-plane.ts';
import { rememberCluster } from '../support/leftovers.ts';

const FOLDER = dirname(fileURLToPath(import.meta.url));
/** Send what a cluster that others use should not get, or need no cluster. */
const OURS_ONLY = ['fuzz.test.ts', 'strategic-merge.test.ts'];
/** Run pods, or wait for what controllers do. */
const WITH_NODES = [
  'verbs.test.ts',
  'streams.test.ts',
  'clients.test.ts',
  'workloads.test.ts',
  'operations.test.ts',
  'helm.test.ts',
  'type-checking.test.ts',
];

const HELP = `npm run conformance [-- OPTIONS] [NAME...]
  --kubeconfig FILE       another cluster that nobody else uses meanwhile: what is new in its default namespace and
                          outside of namespaces after each file is removed again
  --control-plane-only    that cluster has no nodes: tests that run pods are left out
  NAME                    only these areas: errors, apply, wire ...
With KUBEBUILDER_ASSETS=DIR a real etcd and kube-apiserver of that folder are started.`;

const { values, positionals } = read();

if (values.help) console.log(HELP);
else process.exitCode = await main();

function read() {
  try {
    return parseArgs({
      options: {
        kubeconfig: { type: 'string' },
        'control-plane-only': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
  } catch (error) {
    console.error(`${(error as Error).message}\n${HELP}`);
    process.exit(2);
  }
}

async function main(): Promise<number> {
  const assets = process.env.KUBEBUILDER_ASSETS;
  const real = assets && !values.kubeconfig ? await startControlPlane(assets) : undefined;
  const kubeconfig = values.kubeconfig ? resolve(values.kubeconfig) : real?.kubeconfig;
  const bare = kubeconfig !== undefined && (real !== undefined || values['control-plane-only']);
  try {
    const files: string[] = [];
    for await (const name of glob('*.test.ts', { cwd: FOLDER })) {
      if (positionals.length > 0 && !positionals.includes(name.replace('.test.ts', ''))) continue;
      if (kubeconfig && OURS_ONLY.includes(name)) continue;
      if (bare && WITH_NODES.includes(name)) continue;
      files.push(join(FOLDER, name));
    }
    if (files.length === 0) {
      console.error(`No area is called ${positionals.join(', ')}.`);
      return 2;
    }
    files.sort();
    if (!kubeconfig) return await run(files, {});
    // One file after the other: they share a cluster that is not ours.
    let code = 0;
    for (const file of files) {
      const tidy = await rememberCluster(kubeconfig);
      const ended = await run([file], {
        CONFORMANCE_KUBECONFIG: kubeconfig,
        ...(bare ? { CONFORMANCE_CONTROL_PLANE_ONLY: '1' } : {}),
      });
      code = code || ended;
      await tidy();
    }
    return code;
  } finally {
    await real?.stop();
  }
}

function run(files: readonly string[], env: Record<string, string>): Promise<number> {
  const child = spawn(process.execPath, ['--test', ...files], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  return new Promise(done => child.once('exit', code => done(code ?? 1)));
}
