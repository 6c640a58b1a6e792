// Finds kubectl, and fetches the official one on request. Knows no cluster.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ServerStatus, Text } from '#common/protocol/index.ts';
import { onPath } from '../on-path.ts';

const run = promisify(execFile);

export type KubectlStatus = ServerStatus['kubectl'];

/** Older ones are not tried against the practice cluster. */
const OLDEST_MINOR = 29;
/** What is fetched: the version the practice cluster reports, so that there is no skew. */
const FETCHED_VERSION = 'v1.36.2';
const DOWNLOADS = 'https://dl.k8s.io/release';
/** Some kubectls are wrappers that start slowly; in milliseconds. */
const VERSION_TIMEOUT = 15_000;
/** About 60 MB over a slow line, in milliseconds. */
const FETCH_TIMEOUT = 10 * 60_000;

export interface Kubectl {
  /** As far as is known now. */
  status(): KubectlStatus;
  /** The same, after a look that is under way has ended. */
  known(): Promise<KubectlStatus>;
  /** The executable, when one that is new enough was found. */
  path(): string | undefined;
  /** Looks again on the PATH, then in the cache. */
  look(): Promise<KubectlStatus>;
  /** Downloads into the cache and verifies; resolves with the status it ended in. A second call joins the first. */
  fetch(): Promise<KubectlStatus>;
}

export interface KubectlOptions {
  /** Folder for fetched binaries. */
  cache: string;
  path?: string;
  /** Where the official binaries lie; another one in tests. */
  downloads?: string;
  platform?: NodeJS.Platform;
  arch?: string;
  /** Spares the look, where a test does not care which kubectl there is. */
  known?: KubectlStatus;
}

export function createKubectl(options: KubectlOptions): Kubectl {
  const { cache, downloads = DOWNLOADS, platform = process.platform, arch = process.arch } = options;
  let status: KubectlStatus = options.known ?? { state: 'missing', note: missing() };
  let found: string | undefined = status.state === 'found' ? status.path : undefined;
  let fetching: Promise<KubectlStatus> | undefined;
  let looking: Promise<KubectlStatus> | undefined;

  const look = (): Promise<KubectlStatus> => {
    if (options.known) return Promise.resolve(status);
    looking ??= search().finally(() => {
      looking = undefined;
    });
    return looking;
  };

  const search = async (): Promise<KubectlStatus> => {
    let tooOld: string | undefined;
    found = undefined;
    for (const [file, source] of await candidates(options.path, cache)) {
      const version = await versionOf(file);
      if (!version) continue;
      if (minorOf(version) < OLDEST_MINOR) {
        tooOld ??= version;
        continue;
      }
      found = file;
      status = { state: 'found', path: file, version, source };
      return status;
    }
    status = tooOld
      ? { state: 'too-old', version: tooOld, note: old(tooOld) }
      : { state: 'missing', note: missing() };
    return status;
  };

  const download = async (): Promise<KubectlStatus> => {
    const target = `${downloads}/${FETCHED_VERSION}/bin/${osName(platform)}/${archName(arch)}/kubectl`;
    try {
      const sum = (await get(`${target}.sha256`)).toString('utf8').trim().split(/\s/)[0] ?? '';
      const binary = await get(target);
      const actual = createHash('sha256').update(binary).digest('hex');
      if (!/^[0-9a-f]{64}$/.test(sum) || actual !== sum) {
        status = { state: 'missing', note: badSum() };
        return status;
      }
      const folder = join(cache, FETCHED_VERSION);
      const part = join(folder, `kubectl.${process.pid}`);
      await mkdir(folder, { recursive: true });
      await writeFile(part, binary);
      await chmod(part, 0o755);
      // Renamed when whole: a start in between sees no half binary.
      await rename(part, join(folder, 'kubectl')).catch(async error => {
        await rm(part, { force: true });
        throw error;
      });
      return await look();
    } catch (error) {
      status = { state: 'offline', note: offline(error) };
      return status;
    }
  };

  return {
    status: () => status,
    known: () => looking ?? Promise.resolve(status),
    path: () => found,
    look,
    fetch: () => {
      if (found) return Promise.resolve(status);
      if (!fetching) {
        status = { state: 'fetching', note: underWay() };
        fetching = download().finally(() => {
          fetching = undefined;
        });
      }
      return fetching;
    },
  };
}

async function candidates(path: string | undefined, cache: string): Promise<[string, 'path' | 'cache'][]> {
  const list: [string, 'path' | 'cache'][] = [];
  const own = await onPath('kubectl', path);
  if (own) list.push([own, 'path']);
  const versions = await readdir(cache).catch(() => [] as string[]);
  for (const version of versions.sort().reverse()) list.push([join(cache, version, 'kubectl'), 'cache']);
  return list;
}

async function versionOf(file: string): Promise<string | undefined> {
  try {
    // A kubeconfig that cannot exist: asking for the version must not touch the learner's own.
    const env = { ...process.env, KUBECONFIG: '/dev/null' };
    const { stdout } = await run(file, ['version', '--client', '-o', 'json'], {
      timeout: VERSION_TIMEOUT,
      env,
    });
    const version = (JSON.parse(stdout) as { clientVersion?: { gitVersion?: string } }).clientVersion
      ?.gitVersion;
    return version && /^v1\.\d+/.test(version) ? version : undefined;
  } catch {
    // Not a kubectl, or one that does not run here: as if it were not there.
    return undefined;
  }
}

function minorOf(version: string): number {
  return Number(version.split('.')[1]);
}

async function get(url: string): Promise<Buffer> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(FETCH_TIMEOUT) });
  if (!answer.ok) throw new Error(`${new URL(url).host} answered ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

function osName(platform: NodeJS.Platform): string {
  return platform === 'win32' ? 'windows' : platform;
}

function archName(arch: string): string {
  return arch === 'x64' ? 'amd64' : arch;
}

function missing(): Text {
  return {
    'zh-TW':
      '找不到 kubectl。課文可以照常閱讀；要做練習，請安裝 kubectl，或讓本站下載官方版本（會核對校驗碼）。',
    en: 'kubectl was not found. Lessons can be read as usual; for the labs, install kubectl or let this site fetch the official binary (its checksum is verified).',
  };
}

function old(version: string): Text {
  return {
    'zh-TW': `找到的 kubectl 是 ${version}，練習需要 v1.${OLDEST_MINOR} 以上。請更新，或讓本站下載官方版本（會核對校驗碼）。`,
    en: `The kubectl found is ${version}; the labs need v1.${OLDEST_MINOR} or newer. Update it, or let this site fetch the official binary (its checksum is verified).`,
  };
}

function badSum(): Text {
  return {
    'zh-TW': '下載的 kubectl 校驗碼不符，已經丟棄。請再試一次，或自行安裝 kubectl。',
    en: 'The kubectl that was downloaded does not match its checksum and was thrown away. Try again, or install kubectl yourself.',
  };
}

function offline(error: unknown): Text {
  const cause = (error as { cause?: { code?: string } }).cause?.code ?? (error as Error).message;
  return {
    'zh-TW': `無法下載 kubectl（${cause}）：這台電腦似乎沒有連上網路。連上後再試，或自行安裝 kubectl；課文可以照常閱讀。`,
    en: `kubectl could not be fetched (${cause}): this machine seems to be offline. Try again when it is online, or install kubectl yourself; lessons can be read as usual.`,
  };
}

function underWay(): Text {
  return { 'zh-TW': '正在下載 kubectl……', en: 'Fetching kubectl...' };
}
