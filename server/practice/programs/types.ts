// What an image does when it runs. A program is ordinary async code against its container: it sees its arguments,
// environment, files, the cluster's network and the API under its own service account, and nothing else.

import type { Clock } from '../../clock.ts';
import type { ApiClient, KubeObject } from '../../kube/index.ts';
import type { Random } from '../../random.ts';
import type { ByteStream, HttpRequest, HttpResponse, Network } from '../network/index.ts';
import type { ContainerFileSystem } from './files.ts';

export interface Container {
  pod: KubeObject;
  name: string;
  image: string;
  /** What the image starts with, overridden by the pod's command and args as a runtime does. */
  argv: string[];
  env: Record<string, string>;
  /** Image files, mounted volumes and what it wrote. */
  files: ContainerFileSystem;
  clock: Clock;
  random: Random;
  network: Network;
  /** The cluster's API as this container's service account (undefined with automountServiceAccountToken false). */
  api?: ApiClient;
  /** Fires on SIGTERM (reason 'SIGTERM') and on SIGKILL (reason 'SIGKILL', after which nothing the program does counts). */
  signal: AbortSignal;
  /** One line (without its newline) or a chunk to stdout or stderr. */
  log(line: string): void;
  logError(line: string): void;
  /**
   * Serves TCP on a port of the pod's address until the container ends; `peer` is the caller's address. Several listeners
   * on one port: refused. The function that comes back lets the port go; connections stay.
   */
  listen(port: number, onConnection: (stream: ByteStream, peer: string) => void): () => void;
  /** Serves HTTP/1.1; returns plain responses. `body` is the whole request body, `peer` the caller's address. */
  serveHttp(
    port: number,
    handle: (request: HttpRequest, peer: string) => HttpResponse | Promise<HttpResponse>,
  ): void;
  /** Tells the kubelet what the program uses now; over its memory limit it is OOMKilled. */
  use(resources: { cpuMillis?: number; memoryBytes?: number }): void;
  /** Fires on SIGKILL only: for a program that, like a process without a handler under PID 1, ignores SIGTERM. */
  killed: AbortSignal;
  /** Sends SIGTERM to the container's own program (`kill 1`). */
  terminate(): void;
  /** Ports that somebody in the pod listens on now, ascending. */
  listening(): number[];
  /** The container's standard input, when the pod asked for one (`stdin: true`) and somebody is attached. */
  stdin?: ContainerStdin;
  /**
   * The containers whose processes this one sees: all of its pod's with `shareProcessNamespace`, else itself alone.
   * `ended`: it has run, and runs no more.
   */
  processes(): { name: string; ended: boolean }[];
  /** The node's own network, for a pod that lives in it (`hostNetwork`). */
  host?: HostNetwork;
  /** True when the process had been running before the cluster was taken back to this moment: what it did at its start is done. */
  resumed?: boolean;
  /** Text as it is, without a newline of its own (prompts, partial lines). */
  write(text: string, stream?: 'stdout' | 'stderr'): void;
}

export interface HostNetwork {
  /** NetworkPolicies take effect from now on, until every one that asked for it has called what this gives. */
  enforcePolicies(): () => void;
}

/** What is typed at an attached client; bytes arrive as text. */
export interface ContainerStdin {
  onData(listener: (text: string) => void): void;
  onEnd(listener: () => void): void;
}

/** Where a command that runs in a container reads and prints. */
export interface ExecIo {
  stdin?: ContainerStdin;
  stdout(chunk: string | Uint8Array): void;
  stderr(chunk: string | Uint8Array): void;
  /** Fires when the client or the container is gone. */
  signal: AbortSignal;
  tty: boolean;
  onResize?(listener: (size: { cols: number; rows: number }) => void): void;
}

export type { HttpRequest, HttpResponse };

/** Starts when the container starts; the promise's value is the exit code. A thrown error is a bug in the program: exit 1 with the error logged. */
export interface Program {
  /** The repository it answers for, without tag or digest: `docker.io/library/nginx`, or a prefix ending in `/*`. */
  image: string;
  /** What the image's configuration says: entrypoint and defaults. */
  config?: {
    entrypoint?: string[];
    cmd?: string[];
    env?: Record<string, string>;
    user?: string;
    workingDir?: string;
    exposed?: number[];
    files?: Record<string, string>;
  };
  /** Whether the image has this executable (a path, or a name looked up in PATH). Absent: it has whatever is asked for. */
  has?(executable: string): boolean;
  run(container: Container): Promise<number>;
}

/** One line of the image catalogue: which references can be pulled, how large they are (bytes on disk), for which tags. */
export interface ImageEntry {
  /** Without tag: `docker.io/library/nginx`. */
  repository: string;
  /** Tag or `sha256:…` digest to compressed size in bytes. */
  tags: Record<string, number>;
  /** Only an account of its registry may pull it. */
  private?: boolean;
}
