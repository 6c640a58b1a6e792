// One learner's sitting: a lab's cluster, workspace, terminals and attempt, opened together and closed together.
// Knows no sockets; pages subscribe to it and come and go.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  AttemptView,
  ClusterOffer,
  ForwardInfo,
  SessionMessage,
  SessionState,
  Text,
} from '#common/protocol/index.ts';
import type { Clock } from '../clock.ts';
import type { AttachedCluster, ClusterProvider, StartOptions } from '../cluster/index.ts';
import type { Attempt, AttemptOptions } from '../lab/types.ts';
import { createClusterMap, type MapSource } from '../map/index.ts';
import type { Progress } from '../progress/types.ts';
import {
  type CommandLog,
  createCommandLog,
  openPty,
  openTerminal,
  type Terminal,
} from '../terminal/index.ts';
import { openWorkspace, type Sandbox, type Tool, type Workspace } from '../workspace/index.ts';
import { type Forward, type Forwards, followForwards } from './forwards.ts';
import type { Session } from './types.ts';

/** Terminals one session may have open. */
const MOST_TERMINALS = 6;
/** Before a page has said its size. */
const FIRST_SIZE = { cols: 100, rows: 30 };
/** A shell that ends sooner than this after its start is broken, not left; in milliseconds. */
const BROKEN_SHELL = 1000;

const TOO_MANY: Text = {
  'zh-TW': `最多同時開 ${MOST_TERMINALS} 個終端機。先關掉一個。`,
  en: `At most ${MOST_TERMINALS} terminals can be open. Close one first.`,
};

export interface SessionOptions {
  id: string;
  lab: string;
  labs: string;
  /** What stays between runs: the learner's home. */
  folder: string;
  /** What goes when the session ends: sockets, kubeconfigs. Its path is short enough for a socket. */
  runFolder: string;
  provider: ClusterProvider;
  offer: ClusterOffer;
  size: StartOptions;
  /** Where the cluster is kept between runs. */
  keptIn: string;
  sandbox: Sandbox;
  kubectl?: string;
  tools: readonly Tool[];
  progress: Progress;
  clock: Clock;
  openAttempt: (options: AttemptOptions) => Attempt;
}

/** Resolves when there is a terminal to type in; the lab may still be preparing. What was begun is undone when it fails. */
export async function openSession(options: SessionOptions): Promise<Session> {
  const closers: (() => Promise<void> | void)[] = [];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    await mkdir(options.runFolder, { recursive: true, mode: 0o700 });
    const attempt = options.progress.current(options.lab);
    const cluster = await options.provider.attach(
      options.runFolder,
      options.offer,
      { ...options.size, keptIn: options.keptIn, ...(attempt ? { keptFor: nameOf(attempt) } : {}) },
      () => {},
    );
    closers.push(() => cluster.detach());
    const workspace = await openWorkspace({
      folder: options.folder,
      sandbox: options.sandbox,
      kubectl: options.kubectl,
      tools: options.tools,
      cluster: {
        kind: options.offer.kind,
        kubeconfig: cluster.kubeconfig,
        socketPath: cluster.socketPath,
        nodeSocketPath: cluster.nodeSocketPath,
        env: cluster.env,
      },
    });
    closers.push(() => workspace.close());
    return new OpenSession(options, cluster, workspace, closeAll, closers);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

class OpenSession implements Session {
  readonly id: string;
  readonly #options: SessionOptions;
  readonly #cluster: AttachedCluster;
  readonly #workspace: Workspace;
  readonly #attempt: Attempt;
  readonly #commands: CommandLog;
  readonly #map: MapSource;
  readonly #close: () => Promise<void>;
  readonly #terminals = new Map<string, Terminal>();
  readonly #listeners = new Set<(message: SessionMessage) => void>();
  readonly note: Text | undefined;
  readonly #forwards: Forwards;
  #opened = 0;
  #relays = 0;
  #closing: Promise<void> | undefined;

  constructor(
    options: SessionOptions,
    cluster: AttachedCluster,
    workspace: Workspace,
    close: () => Promise<void>,
    closers: (() => Promise<void> | void)[],
  ) {
    this.id = options.id;
    this.#options = options;
    this.#cluster = cluster;
    this.#workspace = workspace;
    this.#close = close;
    this.#commands = createCommandLog(options.clock);
    const { provider } = options;
    const attempt = options.progress.current(options.lab);
    if (attempt && cluster.kept) this.note = cluster.kept === 'kept' ? TAKEN_UP : rebuilt(cluster.kept);
    this.#attempt = options.openAttempt({
      ...(cluster.kept === 'kept' ? { prepared: true } : {}),
      lab: options.lab,
      labs: options.labs,
      cluster: {
        kind: options.offer.kind,
        kubeconfig: cluster.kubeconfig,
        ...(provider.reset ? { reset: () => provider.reset!(cluster) } : {}),
        ...(provider.snapshot && provider.restore
          ? {
              snapshot: () => provider.snapshot!(cluster),
              restore: (snapshot: unknown) => provider.restore!(cluster, snapshot),
            }
          : {}),
      },
      commands: this.#commands,
      home: workspace.home,
      ...(options.kubectl ? { kubectl: options.kubectl } : {}),
      progress: options.progress,
      clock: options.clock,
    });
    closers.push(() => this.#attempt.close());
    const { relay } = workspace;
    this.#forwards = followForwards({
      commands: this.#commands,
      clock: options.clock,
      listens: port => workspace.listens(port),
      ...(relay
        ? { relay: port => relay(port, join(options.runFolder, `forward-${++this.#relays}.sock`)) }
        : {}),
      changed: () => this.#tell({ type: 'forwards', forwards: this.#forwardInfos() }),
    });
    closers.push(() => this.#forwards.close());
    this.#map = createClusterMap({ kubeconfig: cluster.kubeconfig, clock: options.clock });
    closers.push(() => this.#map.close());
    this.#attempt.subscribe(event => {
      if (event.type === 'attempt') this.#keep(event.attempt.status);
      this.#tell(event);
    });
    closers.push(() => {
      for (const terminal of this.#terminals.values()) terminal.close();
      this.#terminals.clear();
    });
    this.#openTerminal();
  }

  state(): SessionState {
    return {
      session: this.id,
      cluster: this.#options.offer,
      terminals: this.#terminalInfos(),
      attempt: this.#attempt.view(),
      forwards: this.#forwardInfos(),
    };
  }

  get watched(): boolean {
    return this.#listeners.size > 0 || [...this.#terminals.values()].some(terminal => terminal.viewers > 0);
  }

  subscribe(listener: (message: SessionMessage) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  watchMap(listener: (message: SessionMessage) => void): () => void {
    return this.#map.subscribe((map, lost) => listener({ type: 'map', map, ...(lost ? { lost } : {}) }));
  }

  async handle(request: Parameters<Session['handle']>[0]): Promise<void> {
    switch (request.type) {
      case 'answer': {
        const refused = await this.#attempt.answer(request.step, request.check, request.value);
        if (refused) this.#tell({ type: 'error', note: refused });
        break;
      }
      case 'hint':
        this.#attempt.hint(request.step);
        break;
      case 'rewind':
      case 'undo':
      case 'solution': {
        const attempt = this.#attempt;
        const refused = await (request.type === 'undo'
          ? attempt.undo()
          : attempt[request.type](request.step));
        if (refused) this.#tell({ type: 'error', note: refused });
        break;
      }
      case 'compare': {
        const { step, line } = request;
        this.#tell({ type: 'compared', step, line, ...(await this.#attempt.compare(step, line)) });
        break;
      }
      case 'reset':
        await this.#mendKubeconfig('always');
        await this.#attempt.reset();
        break;
      case 'open-terminal':
        // Whoever deleted their home folder has no way to the cluster any more; a new shell has one.
        await this.#mendKubeconfig('gone');
        if (this.#terminals.size >= MOST_TERMINALS) this.#tell({ type: 'error', note: TOO_MANY });
        else this.#openTerminal();
        break;
      case 'close-terminal':
        this.#terminals.get(request.terminal)?.close();
        this.#forget(request.terminal);
        break;
    }
  }

  terminal(id: string): Terminal | undefined {
    return this.#terminals.get(id);
  }

  forward(id: string): Forward | undefined {
    return this.#forwards.list().find(forward => forward.id === id);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #openTerminal(): void {
    const { clock } = this.#options;
    const id = `${this.id}.${++this.#opened}`;
    const startedAt = clock.now();
    try {
      const { nonce, shownCwd, ...shell } = this.#workspace.shell();
      const terminal = openTerminal({
        id,
        title: `bash ${this.#opened}`,
        pty: openPty({ ...shell, ...FIRST_SIZE }),
        ...FIRST_SIZE,
        nonce,
        cwd: shownCwd,
        commands: this.#commands,
        clock,
      });
      this.#terminals.set(id, terminal);
      terminal.onExit(code => {
        // Viewers read the last lines and the exit code first; the page then shows what is left.
        if (clock.now() - startedAt < BROKEN_SHELL && code !== 0)
          return this.#tell({ type: 'error', note: broken(code) });
        if (this.#terminals.has(id)) this.#forget(id);
      });
      this.#tell({ type: 'terminals', terminals: this.#terminalInfos() });
    } catch (error) {
      this.#tell({
        type: 'error',
        note: { 'zh-TW': `終端機開不起來：${said(error)}`, en: `The terminal did not start: ${said(error)}` },
      });
    }
  }

  async #mendKubeconfig(when: 'always' | 'gone'): Promise<void> {
    try {
      await this.#workspace.writeKubeconfig(when);
    } catch (error) {
      this.#tell({
        type: 'error',
        note: {
          'zh-TW': `~/.kube/config 寫不進去：${said(error)}`,
          en: `~/.kube/config cannot be written: ${said(error)}`,
        },
      });
    }
  }

  /** A cluster half prepared is not kept: it would be taken for the lab's start. */
  #keep(status: AttemptView['status']): void {
    const attempt = this.#options.progress.current(this.#options.lab);
    const whole = status === 'running' || status === 'complete';
    this.#cluster.keep?.(whole && attempt ? nameOf(attempt) : undefined);
  }

  /** A session always has a terminal: after the last one there is a new one. */
  #forget(id: string): void {
    if (!this.#terminals.delete(id) || this.#closing) return;
    if (this.#terminals.size === 0)
      void this.#mendKubeconfig('gone').then(
        () => this.#closing || this.#terminals.size > 0 || this.#openTerminal(),
      );
    else this.#tell({ type: 'terminals', terminals: this.#terminalInfos() });
  }

  #terminalInfos() {
    return [...this.#terminals.values()].map(({ id, title }) => ({ id, title }));
  }

  #forwardInfos(): ForwardInfo[] {
    return this.#forwards.list().map(({ id, port, direct }) => ({ id, port, ...(direct ? { direct } : {}) }));
  }

  #tell(message: SessionMessage): void {
    for (const listener of this.#listeners) listener(message);
  }
}

/** Ids alone come again after the store was deleted. */
function nameOf(attempt: { id: number; startedAt: string }): string {
  return `${attempt.id} ${attempt.startedAt}`;
}

const TAKEN_UP: Text = {
  'zh-TW': '叢集和你離開時一樣。',
  en: 'The cluster is as you left it.',
};

function rebuilt(kept: 'none' | { lost: Text }): Text {
  const why = kept === 'none' ? { 'zh-TW': '它沒有存下來', en: 'it was not kept' } : kept.lost;
  return {
    'zh-TW': `你離開時的叢集拿不回來（${why['zh-TW']}），已經重新準備成實作一開始的樣子。過了的關卡仍然算數。`,
    en: `The cluster you left cannot be taken up again (${why.en}), so it was prepared anew as at the lab's start. What you passed still counts.`,
  };
}

function broken(code: number): Text {
  return {
    'zh-TW': `shell 一啟動就結束了（結束碼 ${code}）。請按「重來」；若仍如此，是我們的錯。`,
    en: `The shell ended as soon as it started (exit code ${code}). Press Start over; if it happens again, the fault is ours.`,
  };
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
