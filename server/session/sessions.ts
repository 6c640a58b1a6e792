// All open sessions: finds the one for a lab and a cluster, opens what is not open, ends what nobody looks at any more.

import { createHash } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterOffer, OpenAnswer, OpenRequest, Text } from '#common/protocol/index.ts';
import type { Clock, Timer } from '../clock.ts';
import type { ClusterProvider, StartOptions } from '../cluster/index.ts';
import type { Attempt, AttemptOptions } from '../lab/types.ts';
import type { Progress } from '../progress/types.ts';
import type { Terminal } from '../terminal/index.ts';
import type { Kubectl, Sandbox, Tool } from '../workspace/index.ts';
import { openSession } from './session.ts';
import type { Session, Sessions } from './types.ts';

/** Sessions open at once; each holds a cluster of some tens of MB. The one looked at longest ago makes room. */
const MOST_SESSIONS = 10;
/** A session without any page ends after this, in milliseconds: longer than a lunch, shorter than a night. */
const EXPIRY = 3 * 60 * 60_000;
const SWEEP = EXPIRY / 36;
/** After a lab was opened its setup has the machine for this long, in milliseconds; then the next cluster is made ready. */
const NEXT_SPARE = 15_000;
/** A unix socket's path has room for 107 bytes, and the file name is part of it. */
const LONGEST_RUN_FOLDER = 85;

export interface SessionsOptions {
  data: string;
  labs: string;
  /** Loads the lab module when the first lab is opened: reading lessons needs none of it. */
  lab: () => Promise<LabModule>;
  providers: readonly ClusterProvider[];
  sandbox: Sandbox;
  kubectl: Kubectl;
  /** The commands a practice shell has besides the machine's own. */
  tools: () => Promise<readonly Tool[]>;
  progress: Progress;
  clock: Clock;
}

/** What is used here of server/lab. */
export interface LabModule {
  /** Throws with a sentence when there is no such lab, or it is broken. */
  loadLab(folder: string, id: string): { id: string; definition: { cluster: LabCluster } };
  openAttempt(options: AttemptOptions): Attempt;
}

interface LabCluster extends StartOptions {
  /** Kinds of cluster the lab can run on; all when absent. */
  kinds?: readonly ClusterOffer['kind'][];
}

interface Entry {
  opening: Promise<Session & { watched: boolean }>;
  session?: Session & { watched: boolean };
  lastSeen: number;
}

export function createSessions(options: SessionsOptions): Sessions {
  const { clock } = options;
  const entries = new Map<string, Entry>();
  let runRoot: string | undefined;
  let closed = false;

  const drop = async (id: string) => {
    const entry = entries.get(id);
    entries.delete(id);
    const session = await entry?.opening.catch(() => undefined);
    await session?.close();
    await rm(runFolder(id), { recursive: true, force: true });
  };

  const runFolder = (id: string): string => {
    const near = join(options.data, 'run', id);
    if (Buffer.byteLength(near) <= LONGEST_RUN_FOLDER) return near;
    // A project deep in the file system: sockets go to a private folder with a short name.
    runRoot ??= mkdtempSync(join(tmpdir(), 'kbd-'));
    return join(runRoot, id);
  };

  const touch = () => {
    for (const entry of entries.values()) if (entry.session?.watched) entry.lastSeen = clock.now();
  };

  const makeRoom = async (): Promise<boolean> => {
    touch();
    if (entries.size < MOST_SESSIONS) return true;
    const idle = [...entries].filter(([, entry]) => entry.session && !entry.session.watched);
    idle.sort((a, b) => a[1].lastSeen - b[1].lastSeen);
    const oldest = idle[0];
    if (!oldest) return false;
    await drop(oldest[0]);
    return true;
  };

  const sweep = async () => {
    if (closed) return;
    touch();
    for (const [id, entry] of entries) if (clock.now() - entry.lastSeen > EXPIRY) await drop(id);
    timer = clock.after(SWEEP, sweep);
  };
  let timer = clock.after(SWEEP, sweep);

  const prepare = () => {
    if (closed || [...entries.values()].some(entry => !entry.session)) return;
    for (const provider of options.providers) provider.prepare?.(runFolder('spare'));
  };
  let preparing: Timer | undefined;

  const open = async (request: OpenRequest): Promise<OpenAnswer> => {
    const id = sessionId(request);
    const existing = entries.get(id);
    if (existing) {
      existing.lastSeen = clock.now();
      try {
        return { ok: true, state: (await existing.opening).state() };
      } catch (error) {
        return failed(error);
      }
    }
    const { loadLab, openAttempt } = await options.lab();
    let wanted: LabCluster;
    try {
      wanted = loadLab(options.labs, request.lab).definition.cluster;
    } catch (error) {
      return no('failed', failure(error));
    }
    const kubectl = await options.kubectl.known();
    if (kubectl.state !== 'found') return no('no-kubectl', kubectl.note);
    const { kind, profile } = request.cluster;
    if (wanted.kinds && !wanted.kinds.includes(kind)) return no('no-cluster', NOT_THERE);
    const provider = options.providers.find(candidate => candidate.kind === kind);
    const offers = (await provider?.available()) ?? [];
    const offer =
      offers.find(candidate => candidate.profile === profile) ?? (profile ? undefined : offers[0]);
    if (!provider || !offer) return no('no-cluster', GONE);
    if (offer.state !== 'available') return no('no-cluster', offer.note);
    // Minikube's shell is the learner's own on every machine; practice has one in a sandbox where that works.
    const walled = kind === 'practice' && options.sandbox.tier === 'bwrap';
    if (!walled && request.consent !== true)
      return no('needs-consent', kind === 'minikube' ? MINIKUBE_SHELL : options.sandbox.note);
    if (!(await makeRoom())) return no('busy', TOO_MANY);

    const tools = kind === 'practice' ? await options.tools() : [];

    // A second tab that asked in the meantime gets the session that the first one is opening.
    const raced = entries.get(id);
    const entry: Entry = raced ?? {
      lastSeen: clock.now(),
      opening: openSession({
        id,
        lab: request.lab,
        labs: options.labs,
        folder: join(options.data, 'sessions', id),
        keptIn: join(options.data, 'sessions', id, 'cluster'),
        runFolder: runFolder(id),
        provider,
        offer,
        size: { cpus: wanted.cpus, memory: wanted.memory },
        sandbox: options.sandbox,
        kubectl: options.kubectl.path(),
        tools,
        progress: options.progress,
        clock,
        openAttempt,
      }) as Promise<Session & { watched: boolean }>,
    };
    entries.set(id, entry);
    try {
      entry.session = await entry.opening;
      preparing?.cancel();
      preparing = clock.after(NEXT_SPARE, prepare);
      const { note } = entry.session;
      return { ok: true, state: { ...entry.session.state(), ...(note ? { note } : {}) } };
    } catch (error) {
      if (entries.get(id) === entry) entries.delete(id);
      return failed(error);
    }
  };

  return {
    open,
    prepare,
    get: id => entries.get(id)?.session,
    terminal: (id): Terminal | undefined =>
      entries.get(id.slice(0, id.lastIndexOf('.')))?.session?.terminal(id),
    close: async () => {
      closed = true;
      timer.cancel();
      preparing?.cancel();
      await Promise.all([...entries.keys()].map(drop));
      await Promise.all(options.providers.map(provider => provider.close?.()));
      if (runRoot) await rm(runRoot, { recursive: true, force: true });
    },
  };
}

/** The same lab on the same cluster is the same session, whichever tab asks; the home folder has its name. */
function sessionId(request: OpenRequest): string {
  const { kind, profile } = request.cluster;
  const key = createHash('sha256')
    .update(JSON.stringify([request.lab, kind, profile ?? '']))
    .digest('hex')
    .slice(0, 8);
  return `${request.lab.replace(/[^a-z0-9-]/g, '').slice(0, 32)}-${key}`;
}

function no(
  reason: Exclude<Extract<OpenAnswer, { ok: false }>['reason'], undefined>,
  note: Text,
): OpenAnswer {
  return { ok: false, reason, note };
}

/** The whole of it for whoever looks into the server's terminal; its first line for the page. */
function failed(error: unknown): OpenAnswer {
  console.error(error);
  return no('failed', failure(error));
}

function failure(error: unknown): Text {
  const said = (error instanceof Error ? error.message : String(error)).split('\n')[0];
  return { 'zh-TW': `開啟實作時失敗：${said}`, en: `The lab could not be opened: ${said}` };
}

const NOT_THERE: Text = {
  'zh-TW': '這個實作不能在這種叢集上進行，請改選另一種。',
  en: 'This lab does not run on this kind of cluster; choose the other one.',
};
const GONE: Text = {
  'zh-TW': '這個叢集已經不在了。請重新整理頁面再選一次。',
  en: 'This cluster is no longer there. Reload the page and choose again.',
};
const TOO_MANY: Text = {
  'zh-TW': `已經開著 ${MOST_SESSIONS} 個實作。請先關掉其中一個分頁。`,
  en: `${MOST_SESSIONS} labs are open already. Close one of their tabs first.`,
};
const MINIKUBE_SHELL: Text = {
  'zh-TW': '在 minikube 上練習時，終端機就是你自己的 shell，不在沙箱裡，並且會在你的叢集裡建立與刪除物件。',
  en: 'On minikube the terminal is your own shell, outside any sandbox, and the lab makes and deletes objects in your cluster.',
};
