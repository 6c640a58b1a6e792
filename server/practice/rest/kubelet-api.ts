// What the API server asks of kubelets for the streaming subresources. `node` implements it; `rest` only knows this shape.

import type { ByteStream } from '../network/types.ts';

export interface LogOptions {
  container: string;
  follow?: boolean;
  previous?: boolean;
  tailLines?: number;
  sinceSeconds?: number;
  sinceTime?: string;
  timestamps?: boolean;
  limitBytes?: number;
}

export interface ExecOptions {
  container: string;
  command: string[];
  tty: boolean;
  stdin: boolean;
}

/** Streams of one exec or attach. Bytes both ways; with a tty stderr is not used. */
export interface ExecStreams {
  onStdin(listener: (chunk: Uint8Array) => void): void;
  onStdinEnd(listener: () => void): void;
  onResize(listener: (size: { cols: number; rows: number }) => void): void;
  /** Fires when the client went away. */
  signal: AbortSignal;
  stdout(chunk: Uint8Array): void;
  stderr(chunk: Uint8Array): void;
}

/** Pods are named `namespace/name`. Rejections are StatusErrors in upstream's words. */
export interface KubeletApi {
  /** Yields chunks until the log ends, or the signal aborts. */
  logs(namespace: string, pod: string, options: LogOptions, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Resolves with the exit code. */
  exec(namespace: string, pod: string, options: ExecOptions, streams: ExecStreams): Promise<number>;
  attach(
    namespace: string,
    pod: string,
    options: Omit<ExecOptions, 'command'>,
    streams: ExecStreams,
  ): Promise<number>;
  /** Connects to a port of the pod as seen from inside its network namespace. Rejects with DialError when nothing listens. */
  dial(namespace: string, pod: string, port: number): Promise<ByteStream>;
}
