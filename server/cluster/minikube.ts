// A minikube of the learner's as a provider: found through its CLI, used through a kubeconfig of our own. Changes nothing.
//
// Only reading commands are run here, and with a KUBECONFIG of our own wherever minikube could write to one.

import { spawn } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { stringify } from 'yaml';
import type { ClusterOffer, Text } from '#common/protocol/index.ts';
import { onPath } from '../on-path.ts';
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
  /** -1 when the command is not there. */
  code: number;
  stdout: string;
  stderr: string;
  /** It had not ended when its time was over, and was ended. */
  late?: boolean;
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
const SILENT: Text = {
  'zh-TW':
    '已安裝 minikube，但它沒有及時回答；常見的原因是 docker 沒有回應。請在自己的終端機執行 minikube profile list 看看，再重新整理這一頁。',
  en: 'minikube is installed but did not answer in time; often that is docker not responding. Look with minikube profile list in a terminal of your own, then reload this page.',
};

export function createMinikubeProvider(options: MinikubeOptions = {}): ClusterProvider {
  const env = options.env ?? process.env;
  const run = options.run ?? runCommand;
  const folder = minikubeFolder(env, options.home ?? homedir());

  /** The profiles, or why there are none. */
  const profiles = async (timeout: number): Promise<Profile[] | Text> => {
    // --light does not ask each node, which takes seconds; the states come from `status`, one profile at a time.
    const result = await run('minikube', ['profile', 'list', '-o', 'json', '--light'], timeout);
    if (result.code === -1) return HOW_TO_GET;
    if (result.late) return SILENT;
    // Without any profile an older minikube prints a sentence instead of JSON.
    if (/MK_USAGE_NO_PROFILE|No minikube profile/.test(result.stdout + result.stderr)) return HOW_TO_START;
    try {
      const found = (JSON.parse(result.stdout) as { valid?: Profile[] | null }).valid ?? [];
      return found.length > 0 ? found : HOW_TO_START;
    } catch {
      return unreadable(result);
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
      if (!Array.isArray(found)) return [{ kind: 'minikube', state: 'unavailable', note: found }];
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
      const found = await profiles(ATTACH_TIMEOUT);
      if (!Array.isArray(found)) throw new Error(found.en);
      const profile = found.find(candidate => candidate.Name === name);
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

function unreadable({ stdout, stderr }: CommandResult): Text {
  const said = (stderr.trim() || stdout.trim()).split('\n')[0]?.slice(0, 200) || '...';
  return {
    'zh-TW': `minikube 的回答讀不懂（${said}）。請在自己的終端機執行 minikube profile list 看看，再重新整理這一頁。`,
    en: `What minikube answered cannot be read (${said}). Look with minikube profile list in a terminal of your own, then reload this page.`,
  };
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

/** Looks first whether the command is there: merely to try copies this process, which its clusters have made large. */
export const runCommand: RunCommand = async (file, args, timeout) =>
  isAbsolute(file) || (await onPath(file))
    ? start(file, args, timeout)
    : { code: -1, stdout: '', stderr: '' };

/** What it starts itself may hang as well, and hold its output open: all of it goes when the time is over. */
const start: RunCommand = (file, args, timeout) =>
  new Promise(resolve => {
    const env = { ...process.env, MINIKUBE_IN_STYLE: 'false', MINIKUBE_WANTUPDATENOTIFICATION: 'false' };
    const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', text => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', text => {
      stderr += text;
    });
    const timer = setTimeout(() => {
      try {
        process.kill(-child.pid!, 'SIGKILL');
      } catch {
        // It ended in this very moment.
      }
      resolve({ code: 1, stdout, stderr, late: true });
    }, timeout);
    child.once('error', error => {
      clearTimeout(timer);
      resolve({ code: (error as NodeJS.ErrnoException).code === 'ENOENT' ? -1 : 1, stdout, stderr });
    });
    child.once('close', code => {
      clearTimeout(timer);
      resolve({ code: code ?? 1, stdout, stderr });
    });
  });
