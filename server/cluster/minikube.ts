// A minikube of the learner's as a provider: found through its CLI, used through a kubeconfig of our own. Changes nothing.
//
// Only reading commands are run here, and with a KUBECONFIG of our own wherever minikube could write to one.

import { execFile } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { ClusterOffer, Text } from '#common/protocol/index.ts';
import type { AttachedCluster, ClusterProvider } from './types.ts';

/** `available` must answer quickly; minikube asks docker, which may hang. In milliseconds. */
const LOOK_TIMEOUT = 1800;
/** Attaching may wait longer. In milliseconds. */
const ATTACH_TIMEOUT = 20_000;

/** Of `minikube profile list -o json`, what is used here. */
interface Profile {
  Name: string;
  Status: string;
  Config?: {
    KubernetesConfig?: { KubernetesVersion?: string };
    APIServerPort?: number;
    Driver?: string;
    Nodes?: { IP?: string; Port?: number; ControlPlane?: boolean }[];
  };
}

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

export type RunCommand = (file: string, args: string[], timeout: number) => Promise<CommandResult>;

export interface MinikubeOptions {
  /** Runs a command; a double in tests. */
  run?: RunCommand;
  /** Folder that holds `.minikube`, or is it. */
  home?: string;
  env?: NodeJS.ProcessEnv;
}

const HOW_TO_GET: Text = {
  'zh-TW':
    '這台電腦沒有 minikube；要用真的叢集，請照 https://minikube.sigs.k8s.io/docs/start/ 安裝後執行 minikube start。',
  en: 'There is no minikube on this machine; for a real cluster install it (https://minikube.sigs.k8s.io/docs/start/) and run minikube start.',
};
const HOW_TO_START: Text = {
  'zh-TW': '已安裝 minikube，但還沒有叢集。要建立一個，請執行 minikube start。',
  en: 'minikube is installed but has no cluster yet. To make one, run minikube start.',
};

export function createMinikubeProvider(options: MinikubeOptions = {}): ClusterProvider {
  const env = options.env ?? process.env;
  const run = options.run ?? runCommand;
  const folder = minikubeFolder(env, options.home ?? homedir());

  const profiles = async (timeout: number): Promise<Profile[] | undefined> => {
    // --light does not ask each node, which takes seconds; the states come from `status`, one profile at a time.
    const result = await run('minikube', ['profile', 'list', '-o', 'json', '--light'], timeout);
    if (result.code === -1) return undefined;
    try {
      return (JSON.parse(result.stdout) as { valid?: Profile[] }).valid ?? [];
    } catch {
      // Without any profile an older minikube prints a sentence instead of JSON (exit 14).
      return [];
    }
  };

  const state = async (
    profile: string,
    timeout: number,
  ): Promise<'available' | 'stopped' | 'unavailable'> => {
    const result = await run('minikube', ['status', '-p', profile, '-o', 'json'], timeout);
    return stateOf(result.stdout);
  };

  return {
    kind: 'minikube',
    available: async () => {
      const found = await profiles(LOOK_TIMEOUT);
      if (!found) return [{ kind: 'minikube', state: 'unavailable', note: HOW_TO_GET }];
      if (found.length === 0) return [{ kind: 'minikube', state: 'unavailable', note: HOW_TO_START }];
      return Promise.all(
        found.map(async (profile): Promise<ClusterOffer> => {
          const now = await state(profile.Name, LOOK_TIMEOUT);
          return {
            kind: 'minikube',
            profile: profile.Name,
            state: now,
            version: profile.Config?.KubernetesConfig?.KubernetesVersion,
            note: noteFor(profile.Name, now),
          };
        }),
      );
    },
    attach: async (sessionFolder, offer, _start, progress): Promise<AttachedCluster> => {
      const name = offer.profile ?? 'minikube';
      progress({ 'zh-TW': `正在連接 minikube「${name}」……`, en: `Attaching to minikube "${name}"...` });
      const now = await state(name, ATTACH_TIMEOUT);
      if (now !== 'available') throw new Error(noteFor(name, now).en);
      const profile = (await profiles(ATTACH_TIMEOUT))?.find(candidate => candidate.Name === name);
      if (!profile) throw new Error(`minikube no longer knows a profile named "${name}".`);
      const server = await addressOf(profile, run, env);
      const kubeconfig = join(sessionFolder, 'kubeconfig');
      await writeFile(kubeconfig, await ownKubeconfig(folder, name, server), { mode: 0o600 });
      await chmod(kubeconfig, 0o600);
      return { kubeconfig, env: { MINIKUBE_PROFILE: name }, server, detach: async () => {} };
    },
  };
}

/** `MINIKUBE_HOME` may name the folder itself or the one above it, as minikube reads it. */
export function minikubeFolder(env: NodeJS.ProcessEnv, home: string): string {
  const given = env['MINIKUBE_HOME'];
  if (!given) return join(home, '.minikube');
  return given.endsWith('.minikube') ? given : join(given, '.minikube');
}

/** Reads `minikube status -o json`: one object, or a list when there are several nodes. */
export function stateOf(stdout: string): 'available' | 'stopped' | 'unavailable' {
  try {
    const parsed = JSON.parse(stdout) as Record<string, string> | Record<string, string>[];
    const first = Array.isArray(parsed) ? parsed[0] : parsed;
    if (first?.['APIServer'] === 'Running') return 'available';
    return first?.['Host'] === undefined || first['Host'] === 'Nonexistent' ? 'unavailable' : 'stopped';
  } catch {
    return 'unavailable';
  }
}

function noteFor(name: string, state: 'available' | 'stopped' | 'unavailable'): Text {
  if (state === 'available') {
    return {
      'zh-TW': `你的 minikube「${name}」正在執行。練習會在上面建立與刪除物件。`,
      en: `Your minikube "${name}" is running. A lab makes and deletes objects in it.`,
    };
  }
  if (state === 'stopped') {
    return {
      'zh-TW': `minikube「${name}」沒有在執行。要啟動它，請執行 minikube start -p ${name}（暫停中則是 minikube unpause -p ${name}）。`,
      en: `minikube "${name}" is not running. To start it, run minikube start -p ${name} (minikube unpause -p ${name} if it is paused).`,
    };
  }
  return {
    'zh-TW': `無法得知 minikube「${name}」的狀態。請在自己的終端機執行 minikube status -p ${name} 查看。`,
    en: `The state of minikube "${name}" could not be read. Look with minikube status -p ${name} in a terminal of your own.`,
  };
}

/** On Linux the node's own address; with a driver that forwards a port (docker on macOS), what the container publishes. */
async function addressOf(
  profile: Profile,
  run: RunCommand,
  env: NodeJS.ProcessEnv,
): Promise<{ host: string; port: number }> {
  const port = profile.Config?.APIServerPort || profile.Config?.Nodes?.[0]?.Port || 8443;
  const forwarded = process.platform !== 'linux' || env['WSL_DISTRO_NAME'] !== undefined;
  const driver = profile.Config?.Driver;
  if (forwarded && (driver === 'docker' || driver === 'podman')) {
    const published = await run(driver, ['port', profile.Name, `${port}/tcp`], ATTACH_TIMEOUT);
    const match = /127\.0\.0\.1:(\d+)/.exec(published.stdout);
    if (match) return { host: '127.0.0.1', port: Number(match[1]) };
  }
  const { stdout } = await run('minikube', ['ip', '-p', profile.Name], ATTACH_TIMEOUT);
  const host = stdout.trim();
  if (!/^[\d.]+$|^[0-9a-f:]+$/i.test(host))
    throw new Error(`minikube did not say the address of "${profile.Name}".`);
  return { host, port };
}

/** A kubeconfig with the certificates inside, from the files minikube keeps for the profile. */
async function ownKubeconfig(
  folder: string,
  name: string,
  server: { host: string; port: number },
): Promise<string> {
  const pem = async (...path: string[]) => (await readFile(join(folder, ...path))).toString('base64');
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': name,
      clusters: [
        {
          name,
          cluster: {
            server: `https://${server.host}:${server.port}`,
            'certificate-authority-data': await pem('ca.crt'),
          },
        },
      ],
      users: [
        {
          name,
          user: {
            'client-certificate-data': await pem('profiles', name, 'client.crt'),
            'client-key-data': await pem('profiles', name, 'client.key'),
          },
        },
      ],
      contexts: [{ name, context: { cluster: name, user: name, namespace: 'default' } }],
    },
    { lineWidth: 0 },
  );
}

/** Exit code -1 when the command is not there. */
const runCommand: RunCommand = (file, args, timeout) =>
  new Promise(resolve => {
    const env = { ...process.env, MINIKUBE_IN_STYLE: 'false', MINIKUBE_WANTUPDATENOTIFICATION: 'false' };
    execFile(file, args, { timeout, env }, (error, stdout, stderr) => {
      const code = error
        ? typeof error.code === 'number'
          ? error.code
          : error.code === 'ENOENT'
            ? -1
            : 1
        : 0;
      resolve({ code, stdout, stderr });
    });
  });
