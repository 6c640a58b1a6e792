// The cluster's own network, in memory: pod addresses, service addresses, names, and byte streams between programs.

/** A two-way stream of bytes, like a TCP connection after it is open. */
export interface ByteStream {
  write(chunk: Uint8Array): void;
  /** Half-close: no more writes from this side. */
  end(): void;
  /** Reset: both sides see an error or an end at once. */
  destroy(error?: Error): void;
  onData(listener: (chunk: Uint8Array) => void): void;
  onEnd(listener: () => void): void;
  onClose(listener: (error?: Error) => void): void;
}

/** Rejections carry what Go's net package would say after `dial tcp IP:port: `. */
export class DialError extends Error {
  readonly reason: 'connection refused' | 'i/o timeout' | 'no route to host' | 'no such host';
  constructor(reason: DialError['reason'], target: string) {
    super(`dial tcp ${target}: connect: ${reason}`);
    this.name = 'DialError';
    this.reason = reason;
  }
}

export interface Network {
  /** Connects from a pod (or from the node when `from` is absent) to an IP or a DNS name. */
  dial(host: string, port: number, from?: { namespace: string; podIP?: string }): Promise<ByteStream>;
  /** What the cluster DNS answers, [] for NXDOMAIN; search domains of `namespace` apply. */
  lookup(name: string, namespace?: string): string[];
  /** Whether the cluster DNS answers a pod at all; absent: it does. */
  dnsAnswers?(podIP?: string): boolean;
}
