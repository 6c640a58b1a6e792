// Dex as a process: reads its file, opens its storage, serves, and says so in its log. Knows no requests.

import { exitOf, untilAborted } from '../signals.ts';
import type { Container } from '../types.ts';
import { ConfigError, type DexConfig, readConfig } from './config.ts';
import { DexServer } from './server.ts';
import { kubernetesStorage, memoryStorage, registerKinds, type Say } from './storage.ts';

const START_MS = 150;
const GARBAGE_EVERY = 5 * 60_000;
/** A storage that could not be made ready is tried again. */
const RETRY_MS = 30_000;

export async function serveDex(container: Container): Promise<number> {
  const { clock, signal, env } = container;
  container.use({ cpuMillis: 2, memoryBytes: 27 * 1024 * 1024 });
  const words = container.argv.slice(container.argv.indexOf('serve') + 1).filter(one => !one.startsWith('-'));
  const fatal = (message: string) => {
    container.logError(message);
    return 1;
  };
  if (words.length !== 1) return fatal(`accepts 1 arg(s), received ${words.length}`);
  const file = words[0]!;
  const text = container.files.readText(file);
  if (text === undefined)
    return fatal(`failed to read config file ${file}: open ${file}: no such file or directory`);
  let config: DexConfig;
  const say: Say = (level, message, fields = {}) =>
    container.logError(line(container, level, message, fields));
  const version = container.image.slice(container.image.lastIndexOf(':') + 1);
  try {
    let document: unknown;
    try {
      document = await parsed(text);
    } catch (error) {
      throw new ConfigError(`error parse config file ${file}: ${(error as Error).message.split('\n')[0]}`);
    }
    config = readConfig(file, document, env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return fatal(error.message);
  }
  say('INFO', 'Version info', {
    dex_version: version,
    'go.version': 'go1.25.5',
    'go.os': 'linux',
    'go.arch': 'amd64',
  });
  say('INFO', 'config issuer', { issuer: config.issuer });
  await clock.sleep(START_MS, signal);
  const kept = config.storage === 'kubernetes';
  const namespace = env['KUBERNETES_POD_NAMESPACE'] || container.pod.metadata.namespace!;
  if (kept) {
    if (!container.api) return fatal('failed to initialize storage: unable to load in-cluster configuration');
    say('INFO', 'creating custom Kubernetes resources');
    while (!signal.aborted && !(await registerKinds(container.api, namespace, say))) {
      say('ERROR', 'failed creating custom resources');
      await clock.sleep(RETRY_MS, signal);
    }
  }
  if (signal.aborted) return exitOf(container);
  say('INFO', 'config storage', { storage_type: config.storageType });
  for (const { name } of config.clients) say('INFO', 'config static client', { client_name: name });
  if (config.passwordDb) say('INFO', 'config connector: local passwords enabled');
  if (config.skipApprovalScreen) say('INFO', 'config skipping approval screen');
  const storage = kept ? kubernetesStorage(container.api!, namespace) : memoryStorage();
  const server = new DexServer(container, config, storage, say);
  // Keys that only this process knows can wait until somebody asks for them.
  if (kept) await server.keys.current();
  if (signal.aborted) return exitOf(container);
  container.serveHttp(config.port, (request, peer) => server.handle(request, peer));
  say('INFO', 'listening on', { server: 'http', address: config.address });
  void collect(container, server, say);
  await untilAborted(signal);
  if (signal.reason === 'SIGTERM') say('INFO', 'starting graceful shutdown', { server: 'http' });
  return exitOf(container);
}

/** A file in JSON is one in YAML; only others need the library, which is large. */
async function parsed(text: string): Promise<unknown> {
  if (text.startsWith('{')) return JSON.parse(text);
  const { parse } = await import('yaml');
  return parse(text);
}

async function collect({ clock, signal }: Container, server: DexServer, say: Say): Promise<void> {
  for (;;) {
    await clock.sleep(GARBAGE_EVERY, signal);
    if (signal.aborted) return;
    try {
      await server.collectGarbage();
    } catch (error) {
      say('ERROR', 'garbage collection failed', { err: (error as Error).message });
    }
  }
}

/** Go's slog as text: values are quoted where they need it. */
function line({ clock }: Container, level: string, message: string, fields: Record<string, unknown>): string {
  const written = Object.entries({ msg: message, ...fields }).map(([key, value]) => {
    const text = Array.isArray(value) ? `[${value.join(' ')}]` : String(value);
    return `${key}=${/^[^\s"=]+$/.test(text) ? text : JSON.stringify(text)}`;
  });
  return `time=${new Date(clock.now()).toISOString()} level=${level} ${written.join(' ')}`;
}
