// One terminal's line to the server: frames in, frames out, acknowledgement after parsing, and what its shell is doing.
// Knows no DOM; the screen comes as an interface.

import { ackFrame, frame, Op, parseFrame, sizeFrame } from '#common/protocol/frames.ts';
import { type Link, Socket } from '../socket.ts';
import type { Screen } from './screen.ts';

/** Output bytes after which an ack is sent even while more is waiting; well under the server's low mark (64 KB). */
const ACK_EVERY = 16 * 1024;
/** How long to wait for a shell's first prompt before a command is sent anyway, in ms. */
const PROMPT_PATIENCE = 8000;

export interface LineEvents {
  link(link: Link): void;
  command(running: boolean, exitCode: number | undefined): void;
  exited(code: number): void;
  refused(reason: string): void;
  gone(): void;
}

export class Line {
  running = false;
  #screen: Screen;
  #socket: Socket;
  #unacked = 0;
  #parsing = 0;
  #prompt = Promise.withResolvers<void>();

  constructor(id: string, screen: Screen, events: LineEvents) {
    this.#screen = screen;
    this.#socket = new Socket(`/ws/terminal/${encodeURIComponent(id)}`, {
      link: link => events.link(link),
      gone: () => events.gone(),
      message: data => {
        if (typeof data !== 'string') this.#take(new Uint8Array(data), events);
      },
    });
  }

  input(bytes: Uint8Array<ArrayBuffer>): void {
    this.#socket.send(frame(Op.input, bytes));
  }

  resized(cols: number, rows: number): void {
    this.#socket.send(sizeFrame(cols, rows));
  }

  /** Asks the server to type and run this; false when the line is down. */
  async run(text: string): Promise<boolean> {
    await Promise.race([this.#prompt.promise, new Promise(done => setTimeout(done, PROMPT_PATIENCE))]);
    return this.#socket.send(frame(Op.run, text));
  }

  retry(): void {
    this.#socket.retry();
  }

  close(): void {
    this.#socket.close();
  }

  #take(data: Uint8Array, events: LineEvents): void {
    const message = parseFrame(data);
    switch (message?.op) {
      case 'output':
        this.#output(message.bytes);
        break;
      case 'screen':
        this.#unacked = 0;
        this.#screen.replay(message.cols, message.rows, message.screen);
        break;
      case 'resize':
        this.#screen.resize(message.cols, message.rows);
        break;
      case 'command':
        this.running = message.running;
        if (!message.running) this.#prompt.resolve();
        events.command(message.running, message.exitCode);
        break;
      case 'exit':
        this.#socket.close();
        events.exited(message.code);
        break;
      case 'refused':
        events.refused(message.text);
        break;
    }
  }

  /** Acknowledged when xterm has parsed it, not when it arrived: only then does the server's count mean anything. */
  #output(bytes: Uint8Array): void {
    this.#parsing++;
    this.#screen.write(bytes, () => {
      this.#parsing--;
      this.#unacked += bytes.length;
      if (this.#unacked >= ACK_EVERY || this.#parsing === 0) {
        this.#socket.send(ackFrame(this.#unacked));
        this.#unacked = 0;
      }
    });
  }
}
