// Byte streams in memory: two ends of one open connection. Knows no addresses and no protocol.

import type { ByteStream } from './types.ts';

/** Bytes that may wait for a reader before the connection is reset: a writer nobody reads must not fill the memory. */
const MAX_UNREAD_BYTES = 8 * 1024 * 1024;

/** One end. Everything arrives in order and never inside the call that sent it. */
class StreamEnd implements ByteStream {
  peer!: StreamEnd;
  private data: ((chunk: Uint8Array) => void)[] = [];
  private ends: (() => void)[] = [];
  private closes: ((error?: Error) => void)[] = [];
  private unread: Uint8Array[] = [];
  private unreadBytes = 0;
  private endSeen = false;
  private endGiven = false;
  private endSent = false;
  private closed = false;
  private closeError: Error | undefined;
  private scheduled = false;

  write(chunk: Uint8Array): void {
    if (this.endSent || this.closed || chunk.length === 0) return;
    this.peer.receive(chunk);
  }

  end(): void {
    if (this.endSent || this.closed) return;
    this.endSent = true;
    this.peer.receiveEnd();
    this.closeWhenBothEnded();
  }

  destroy(error?: Error): void {
    this.close(error);
    this.peer.close(error ?? undefined);
  }

  onData(listener: (chunk: Uint8Array) => void): void {
    this.data.push(listener);
    this.schedule();
  }

  onEnd(listener: () => void): void {
    this.ends.push(listener);
    if (this.endGiven) queueMicrotask(listener);
    else this.schedule();
  }

  onClose(listener: (error?: Error) => void): void {
    this.closes.push(listener);
    if (this.closed) queueMicrotask(() => listener(this.closeError));
  }

  private receive(chunk: Uint8Array): void {
    if (this.closed) return;
    this.unread.push(chunk);
    this.unreadBytes += chunk.length;
    if (this.unreadBytes > MAX_UNREAD_BYTES) {
      this.destroy(new Error('connection reset by peer'));
      return;
    }
    this.schedule();
  }

  private receiveEnd(): void {
    this.endSeen = true;
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      this.deliver();
    });
  }

  private deliver(): void {
    if (this.data.length > 0) {
      const chunks = this.unread;
      this.unread = [];
      this.unreadBytes = 0;
      for (const chunk of chunks) for (const listener of this.data) listener(chunk);
    }
    if (this.endSeen && !this.endGiven && this.unread.length === 0) {
      this.endGiven = true;
      for (const listener of this.ends) listener();
      this.closeWhenBothEnded();
    }
  }

  private closeWhenBothEnded(): void {
    if (this.endSent && this.endGiven) this.close();
    if (this.peer.endSent && this.peer.endGiven) this.peer.close();
  }

  private close(error?: Error): void {
    if (this.closed) return;
    this.closed = true;
    this.closeError = error;
    if (error) {
      this.unread = [];
      this.unreadBytes = 0;
    }
    queueMicrotask(() => {
      if (!this.endGiven) {
        this.endSeen = true;
        this.deliver();
      }
      for (const listener of this.closes) listener(error);
    });
  }
}

/** The two ends of a connection that is open. */
export function streamPair(): [ByteStream, ByteStream] {
  const a = new StreamEnd();
  const b = new StreamEnd();
  a.peer = b;
  b.peer = a;
  return [a, b];
}
