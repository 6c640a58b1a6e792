// `npm run practice`: a practice cluster by itself, for test suites and scripts. Knows the command line and signals.

import { randomInt } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parseQuantity } from '#common/quantity/index.ts';
import { realClock } from '../clock.ts';
import { seededRandom } from '../random.ts';
import { createPracticeCluster } from './cluster.ts';
import { surviveFaults } from './faults.ts';
import type { NodeOptions } from './types.ts';

const usage = (baselines: Baselines | undefined) => `npm run practice -- [options]

  --port N                       port on 127.0.0.1; default: any free one
  --kubeconfig FILE              where to write the kubeconfig; default: a file in the temporary folder
  --nodes N                      how many nodes; default 1
  --cpus N, --memory SIZE        size of each node; default 2 and 4Gi
  --control-plane-only           only the API server: no controllers, scheduler or nodes
  --authorization MODE           RBAC (default) or AlwaysAllow
  --token-auth-file FILE         static tokens, lines of token,user,uid,"group1,group2"
  --service-cluster-ip-range C   default 10.96.0.0/12
  --network-policy               enforce NetworkPolicies (by default they are only stored, as minikube does)
  --baseline NAME                what the cluster holds at first: ${namesOf(baselines).join(', ')}; default empty
  --seed N                       same seed, same names`;

class UsageError extends Error {}

/** States that a cluster can be brought to. Labs have some; whoever starts a cluster hands them in. */
export interface Baselines {
  readonly names: readonly string[];
  /** Resolves when everything is created. `tell` gets lines for whoever waits. */
  apply(name: string, kubeconfig: string, tell: (line: string) => void): Promise<void>;
}

const EMPTY = 'empty';

const namesOf = (baselines: Baselines | undefined): readonly string[] => [
  ...new Set([EMPTY, ...(baselines?.names ?? [])]),
];

interface Settings {
  port: number;
  kubeconfig: string;
  nodes: NodeOptions[];
  controlPlaneOnly: boolean;
  networkPolicy: boolean;
  authorization: 'RBAC' | 'AlwaysAllow';
  tokenAuthFile?: string;
  serviceClusterIpRange?: string;
  seed: number;
  baseline: string;
}

export function readSettings(args: readonly string[], baselines?: Baselines): Settings | 'help' {
  let values: Record<string, string | boolean | undefined>;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        port: { type: 'string' },
        kubeconfig: { type: 'string' },
        nodes: { type: 'string' },
        cpus: { type: 'string' },
        memory: { type: 'string' },
        'control-plane-only': { type: 'boolean' },
        authorization: { type: 'string' },
        'token-auth-file': { type: 'string' },
        'service-cluster-ip-range': { type: 'string' },
        'network-policy': { type: 'boolean' },
        baseline: { type: 'string' },
        seed: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  if (values.help) return 'help';
  const text = (name: string, fallback: string) => String(values[name] ?? fallback);
  const whole = (name: string, fallback: number, most: number) => {
    const value = Number(text(name, String(fallback)));
    if (!Number.isInteger(value) || value < 0 || value > most)
      throw new UsageError(`--${name} ${text(name, '')}: want a whole number from 0 to ${most}`);
    return value;
  };
  const size = (name: string, fallback: string) => {
    const value = text(name, fallback);
    if (!parseQuantity(value))
      throw new UsageError(`--${name} ${value}: want a quantity such as ${fallback}`);
    return value;
  };
  const authorization = text('authorization', 'RBAC');
  if (authorization !== 'RBAC' && authorization !== 'AlwaysAllow')
    throw new UsageError(`--authorization ${authorization}: want RBAC or AlwaysAllow`);
  const range = values['service-cluster-ip-range'];
  if (range !== undefined && !/^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/.test(String(range)))
    throw new UsageError(`--service-cluster-ip-range ${range}: want an IPv4 range such as 10.96.0.0/12`);
  const baseline = text('baseline', EMPTY);
  if (!namesOf(baselines).includes(baseline))
    throw new UsageError(`--baseline ${baseline}: want one of ${namesOf(baselines).join(', ')}`);
  const count = whole('nodes', 1, 100);
  return {
    port: whole('port', 0, 65535),
    kubeconfig: resolve(text('kubeconfig', join(tmpdir(), `practice-${process.pid}.kubeconfig`))),
    nodes: Array.from({ length: count }, (_, index) => ({
      name: index === 0 ? 'minikube' : `minikube-m${String(index + 1).padStart(2, '0')}`,
      cpus: size('cpus', '2'),
      memory: size('memory', '4Gi'),
    })),
    controlPlaneOnly: values['control-plane-only'] === true,
    networkPolicy: values['network-policy'] === true,
    authorization,
    baseline,
    seed: values.seed === undefined ? randomInt(2 ** 31) : whole('seed', 0, 2 ** 31),
    ...(values['token-auth-file'] === undefined
      ? {}
      : { tokenAuthFile: tokens(String(values['token-auth-file'])) }),
    ...(range === undefined ? {} : { serviceClusterIpRange: String(range) }),
  };
}

function tokens(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--token-auth-file ${file}: it cannot be read (${(error as Error).message})`);
  }
}

/** Starts a cluster as the command line says and leaves it running until a signal ends it. */
export async function main(args: readonly string[], baselines?: Baselines): Promise<void> {
  try {
    await start(args, baselines);
  } catch (error) {
    process.exitCode = 1;
    if (error instanceof UsageError) {
      console.error(`${error.message}\n\n${usage(baselines)}`);
      process.exitCode = 2;
    } else if ((error as { code?: string }).code === 'EADDRINUSE')
      console.error('That port is taken: choose another with --port.');
    else console.error(error);
  }
}

async function start(args: readonly string[], baselines: Baselines | undefined): Promise<void> {
  const settings = readSettings(args, baselines);
  if (settings === 'help') return void console.log(usage(baselines));
  const { port, kubeconfig, seed, baseline, ...options } = settings;
  const tell = (where: string, error: unknown) =>
    console.error(`practice: ${where}: ${error instanceof Error ? error.message : error}`);
  surviveFaults(tell);
  const cluster = await createPracticeCluster({
    ...options,
    openNodePorts: true,
    clock: realClock(),
    random: seededRandom(seed),
    listen: { port },
    onFault: tell,
  });
  let ending = false;
  const end = async () => {
    if (ending) return;
    ending = true;
    await cluster.close();
    process.exit(0);
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  const url = `https://127.0.0.1:${cluster.port}`;
  writeFileSync(kubeconfig, cluster.kubeconfig(url), { mode: 0o600 });
  try {
    if (baseline !== EMPTY) await baselines?.apply(baseline, kubeconfig, console.log);
  } catch (error) {
    await cluster.close();
    throw error;
  }
  console.log(`A practice cluster answers at ${url}\n`);
  console.log(`  export KUBECONFIG=${kubeconfig}`);
  console.log('  kubectl get nodes\n\nCtrl-C ends it.');
}

if (import.meta.main) await main(process.argv.slice(2));
