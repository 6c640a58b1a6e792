// A WebSocket that comes back by itself and says how it is. Knows neither terminals nor labs.

export type Link =
  | { kind: 'connecting' }
  | { kind: 'open' }
  | { kind: 'waiting'; until: number }
  | { kind: 'closed' };

export interface SocketEvents {
  message(data: ArrayBuffer | string): void;
  link(link: Link): void;
  /** The server says that this socket's subject is gone (4401 not yours, 4404 unknown, 4410 ended): no use in retrying. */
  gone(code: number): void;
}

/** Waits between attempts in ms: quick after a hiccup, patient when the server is down. */
const WAITS = [250, 500, 1000, 2000, 4000, 8000];
const GONE = new Set([4401, 4403, 4404, 4410]);

export class Socket {
  #path: string;
  #events: SocketEvents;
  #socket: WebSocket | undefined;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(path: string, events: SocketEvents) {
    this.#path = path;
    this.#events = events;
    addEventListener('online', this.retry);
    this.#connect();
  }

  get open(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Sends when connected; otherwise the data is dropped, because what was typed into a dead line must not arrive later. */
  send(data: string | Uint8Array<ArrayBuffer>): boolean {
    if (!this.open) return false;
    this.#socket!.send(data);
    return true;
  }

  retry = (): void => {
    if (
      this.#closed ||
      this.#socket?.readyState === WebSocket.OPEN ||
      this.#socket?.readyState === WebSocket.CONNECTING
    )
      return;
    clearTimeout(this.#timer);
    this.#connect();
  };

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    removeEventListener('online', this.retry);
    this.#socket?.close(1000);
    this.#events.link({ kind: 'closed' });
  }

  #connect(): void {
    this.#events.link({ kind: 'connecting' });
    const url = new URL(this.#path, location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    socket.addEventListener('open', () => {
      this.#failures = 0;
      this.#events.link({ kind: 'open' });
    });
    socket.addEventListener('message', event => this.#events.message(event.data));
    socket.addEventListener('close', event => {
      if (this.#closed || socket !== this.#socket) return;
      if (GONE.has(event.code)) {
        this.close();
        this.#events.gone(event.code);
        return;
      }
      const wait = WAITS[Math.min(this.#failures++, WAITS.length - 1)]!;
      this.#events.link({ kind: 'waiting', until: Date.now() + wait });
      this.#timer = setTimeout(() => this.#connect(), wait);
    });
  }
}
