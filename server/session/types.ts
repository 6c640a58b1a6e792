// What a session offers to whoever carries its messages. Knows no sockets.

import type {
  OpenAnswer,
  OpenRequest,
  SessionMessage,
  SessionRequest,
  SessionState,
  Text,
} from '#common/protocol/index.ts';
import type { Terminal } from '../terminal/index.ts';
import type { Forward } from './forwards.ts';

export type { Forward } from './forwards.ts';

export interface Session {
  readonly id: string;
  state(): SessionState;
  /** What to say of the cluster one comes back to, to the page that opened it. */
  readonly note: Text | undefined;
  /** Called with every change. Returns what stops it; a session with no listener and no viewer expires after a while. */
  subscribe(listener: (message: SessionMessage) => void): () => void;
  /** Follows what the cluster holds until the returned function is called; the first message has all of it. */
  watchMap(listener: (message: SessionMessage) => void): () => void;
  /** Carries out a wish of the page; what came of it arrives as messages. */
  handle(request: SessionRequest): Promise<void>;
  terminal(id: string): Terminal | undefined;
  /** A port that kubectl holds open in one of its terminals. */
  forward(id: string): Forward | undefined;
  close(): Promise<void>;
}

export interface Sessions {
  /** Opens a lab on a cluster, or comes back to it when it is open already. */
  open(request: OpenRequest): Promise<OpenAnswer>;
  get(id: string): Session | undefined;
  /** Gets a cluster ready for the lab that may be opened next, unless one is being opened now. */
  prepare(): void;
  /** A terminal of any session. */
  terminal(id: string): Terminal | undefined;
  close(): Promise<void>;
}
