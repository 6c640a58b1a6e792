// The page's copy of one session: opens it, follows it over its socket, passes wishes on. Knows no DOM.

import type { ClusterMap } from '#common/protocol/map.ts';
import type {
  AttemptView,
  ForwardInfo,
  OpenAnswer,
  SessionMessage,
  SessionRequest,
  SessionState,
  StepView,
  TerminalInfo,
  Text,
} from '#common/protocol/session.ts';
import { memory, type OpenLab } from './memory.ts';
import { openSession, reachServer } from './server.ts';
import { type Link, Socket } from './socket.ts';
import { language } from './words.ts';

/** After a failed try to get a new session, in ms. */
const RENEW_AGAIN = 2000;

export interface SessionWatcher {
  opened?(state: SessionState): void;
  attempt?(attempt: AttemptView): void;
  step?(step: StepView, before: StepView | undefined): void;
  terminals?(terminals: TerminalInfo[]): void;
  forwards?(forwards: ForwardInfo[]): void;
  link?(link: Link): void;
  compared?(message: Extract<SessionMessage, { type: 'compared' }>): void;
  error?(note: Text): void;
  /** The server knew the session no more, and this page has a new one in its place. */
  renewed?(state: SessionState): void;
  /** A server answers, but this browser has no pass for it (true), or has one again (false). */
  locked?(locked: boolean): void;
  map?(part: Partial<ClusterMap>, lost: Text | undefined): void;
}

export class Session {
  state: SessionState | undefined;
  opening = false;
  #watchers: SessionWatcher[] = [];
  #socket: Socket | undefined;
  #asked: OpenLab | undefined;
  #mapOpen = false;

  watch(watcher: SessionWatcher): void {
    this.#watchers.push(watcher);
  }

  /** Opens the lab, or comes back to it. Refusals are answers; only an unreachable server throws. */
  async open(asked: OpenLab): Promise<OpenAnswer> {
    this.opening = true;
    try {
      const answer = await openSession({ ...asked, language });
      if (answer.ok) {
        this.#asked = asked;
        memory.rememberOpenLab(asked);
        this.#follow(answer.state);
      } else if (answer.reason !== 'needs-consent') memory.forgetOpenLab(asked.lab);
      return answer;
    } finally {
      this.opening = false;
    }
  }

  send(request: SessionRequest): boolean {
    return this.#socket?.send(JSON.stringify(request)) ?? false;
  }

  /** Follows the cluster's map from now on, over lost lines too, or stops. */
  followMap(open: boolean): void {
    if (this.#mapOpen === open) return;
    this.#mapOpen = open;
    this.send({ type: 'map', open });
  }

  retry(): void {
    this.#socket?.retry();
  }

  #follow(state: SessionState): void {
    this.#socket?.close();
    this.#take({ type: 'state', state });
    this.#socket = new Socket(`/ws/session/${encodeURIComponent(state.session)}`, {
      message: data => {
        if (typeof data !== 'string') return;
        const message = JSON.parse(data) as SessionMessage;
        this.#take(message);
        // A new line knows nothing of what this page follows.
        if (message.type === 'state' && this.#mapOpen) this.send({ type: 'map', open: true });
      },
      link: link => {
        this.#tell('link', link);
        if (link.kind === 'waiting') void this.#lookAtDoor();
        else if (link.kind === 'open') this.#tell('locked', false);
      },
      gone: () => void this.#renew(),
    });
  }

  /** The server was restarted and knows this session no more: ask for the lab again, progress is in its store. */
  async #renew(): Promise<void> {
    if (!this.#asked || this.opening) return;
    try {
      const answer = await this.open(this.#asked);
      if (answer.ok) this.#tell('renewed', answer.state);
      else this.#tell('error', answer.note);
    } catch {
      // It went again in this very moment.
      setTimeout(() => void this.#renew(), RENEW_AGAIN);
    }
  }

  /** A refused upgrade tells a page nothing; a plain request says whether it was the pass. */
  async #lookAtDoor(): Promise<void> {
    const reach = await reachServer();
    this.#tell('locked', reach.kind === 'no-token');
  }

  #take(message: SessionMessage): void {
    switch (message.type) {
      case 'state': {
        const first = this.state?.session !== message.state.session;
        this.state = message.state;
        if (first) this.#tell('opened', message.state);
        this.#tell('terminals', message.state.terminals);
        this.#tell('forwards', message.state.forwards ?? []);
        if (message.state.attempt) this.#tell('attempt', message.state.attempt);
        break;
      }
      case 'attempt':
        if (this.state) this.state.attempt = message.attempt;
        this.#tell('attempt', message.attempt);
        break;
      case 'step': {
        const steps = this.state?.attempt?.steps ?? [];
        const at = steps.findIndex(step => step.id === message.step.id);
        const before = steps[at];
        if (at >= 0) steps[at] = message.step;
        for (const watcher of this.#watchers) watcher.step?.(message.step, before);
        break;
      }
      case 'terminals':
        if (this.state) this.state.terminals = message.terminals;
        this.#tell('terminals', message.terminals);
        break;
      case 'forwards':
        this.#tell('forwards', message.forwards);
        break;
      case 'map':
        for (const watcher of this.#watchers) watcher.map?.(message.map, message.lost);
        break;
      case 'compared':
        for (const watcher of this.#watchers) watcher.compared?.(message);
        break;
      case 'error':
        this.#tell('error', message.note);
        break;
    }
  }

  #tell<K extends 'opened' | 'attempt' | 'terminals' | 'link' | 'error' | 'renewed' | 'locked' | 'forwards'>(
    what: K,
    value: Parameters<NonNullable<SessionWatcher[K]>>[0],
  ): void {
    for (const watcher of this.#watchers)
      (watcher[what] as ((value: unknown) => void) | undefined)?.call(watcher, value);
  }
}
