// Composition root: reads the configuration, wires the parts, prints the URL, and takes everything down again.

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerStatus, Text } from '#common/protocol/index.ts';
import { claimFolder } from './claim.ts';
import { realClock, type Timer } from './clock.ts';
import { type ClusterProvider, clusterProviders } from './cluster/index.ts';
import type { Config } from './config.ts';
import { createDevSite, createLinks, startHttpServer } from './http/index.ts';
import { openProgress } from './progress/index.ts';
import { createSessions, type LabModule } from './session/index.ts';
import {
  createKubectl,
  type KubectlStatus,
  probeSandbox,
  type Sandbox,
  type Tool,
} from './workspace/index.ts';

/** What a lab needs is made ready this long after a page asked: not while it loads. In milliseconds. */
const WARM_UP = 2000;

export interface RunningServer {
  readonly port: number;
  /** A new URL with a one-time token. */
  link(): string;
  /** What the learner should know at start, a sentence each: what is missing, and the way out. */
  notices(): Promise<Text[]>;
  close(): Promise<void>;
}

/** Parts that tests replace. */
export interface Replacements {
  providers?: ClusterProvider[];
  sandbox?: Sandbox;
  lab?: () => Promise<LabModule>;
  tools?: () => Promise<readonly Tool[]>;
  kubectl?: KubectlStatus;
  /** Where kubectl is downloaded from. */
  downloads?: string;
}

export async function startServer(config: Config, replaced: Replacements = {}): Promise<RunningServer> {
  const clock = realClock();
  const claim = claimFolder(config.data);
  const providers = replaced.providers ?? clusterProviders();
  const kubectl = createKubectl({
    cache: join(config.cache, 'kubectl'),
    downloads: replaced.downloads,
    known: replaced.kubectl,
  });
  const [sandbox, version] = await Promise.all([
    replaced.sandbox ?? probeSandbox(),
    packageVersion(config.root),
  ]);
  // A wrapper of kubectl may take a second to say its version; the first page does not wait for it.
  const looked = kubectl.look();
  const progress = openProgress({ file: join(config.data, 'progress.sqlite'), clock });
  const sessions = createSessions({
    data: config.data,
    labs: config.labs,
    lab: replaced.lab ?? (() => labModule(config.author)),
    providers,
    sandbox,
    kubectl,
    tools: replaced.tools ?? (async () => (await import('./practice/tools/index.ts')).practiceTools()),
    progress,
    clock,
  });
  const links = createLinks();
  let warming: Timer | undefined;
  const status = async (): Promise<ServerStatus> => {
    // Somebody has a page open: what the first lab needs is loaded while they read, not when they click.
    warming ??= clock.after(WARM_UP, () => {
      sessions.prepare();
      // Loading the cluster client takes the better part of a second of this thread.
      import('@kubernetes/client-node').catch(() => {});
    });
    await looked;
    // Not again when it is there: the learner may install one while the page is open.
    if (['missing', 'too-old'].includes(kubectl.status().state)) await kubectl.look();
    const clusters = (await Promise.all(providers.map(provider => provider.available()))).flat();
    return {
      version,
      kubectl: kubectl.status(),
      sandbox: { tier: sandbox.tier, note: sandbox.note },
      clusters,
    };
  };
  const http = await startHttpServer({
    port: config.port,
    secret: randomBytes(32).toString('base64url'),
    links,
    site: config.site,
    sessions,
    status,
    fetchKubectl: () => void kubectl.fetch(),
    progress,
    clock,
    ...(config.devSitePort ? { devSite: createDevSite(config.devSitePort) } : {}),
  }).catch(async error => {
    await sessions.close();
    progress.close();
    claim.release();
    throw error;
  });
  claim.servesAt(`http://127.0.0.1:${http.port}`);
  return {
    port: http.port,
    link: () => `http://127.0.0.1:${http.port}/?token=${links.issue()}`,
    notices: async () => {
      const found = await looked;
      return [
        ...('note' in found ? [found.note] : []),
        ...(sandbox.tier === 'none' ? [sandbox.note] : []),
        ...(progress.problem ? [progress.problem] : []),
      ];
    },
    close: async () => {
      warming?.cancel();
      await http.close();
      await sessions.close();
      progress.close();
      claim.release();
    },
  };
}

async function labModule(author: boolean | undefined): Promise<LabModule> {
  const module = await import('./lab/index.ts');
  return author ? { ...module, openAttempt: options => module.openAttempt({ ...options, author }) } : module;
}

async function packageVersion(root: string): Promise<string> {
  return (JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }).version;
}
