// A page's part of a terminal: a WebSocket that keeps what it is shown and acknowledges it as a page does.

import { WebSocket } from 'ws';
import { ackFrame, type Frame, frame, Op, parseFrame, sizeFrame } from '#common/protocol/index.ts';

/** No wait in a test is longer, in milliseconds. */
const PATIENCE = 15_000;

export interface TerminalClient {
  /** Everything shown since the last screen, the screen included, as text. */
  readonly text: string;
  readonly frames: readonly Frame[];
  /** Bytes of output received. */
  readonly received: number;
  type(text: string): void;
  run(text: string): void;
  ack(bytes: number): void;
  resize(cols: number, rows: number): void;
  sendRaw(data: Uint8Array | string): void;
  /** Resolves when `text` matches; rejects with what there is instead. */
  until(what: RegExp | ((text: string) => boolean)): Promise<void>;
  untilFrame(matches: (frame: Frame) => boolean): Promise<Frame>;
  /** Resolves at the shell's prompt. */
  prompt(): Promise<void>;
  /** Resolves with the close code. */
  closed(): Promise<number>;
  close(): void;
}

export interface TerminalClientOptions {
  cookie: string;
  /** Acknowledge what arrives at once, as a page that keeps up does. */
  acks?: boolean;
  language?: 'zh-TW' | 'en';
}

export async function connectTerminal(
  origin: string,
  id: string,
  options: TerminalClientOptions,
): Promise<TerminalClient> {
  const { acks = true, language = 'en' } = options;
  const ws = new WebSocket(`${origin.replace('http', 'ws')}/ws/terminal/${id}?lang=${language}`, {
    headers: { cookie: options.cookie },
    origin,
  });
  ws.binaryType = 'nodebuffer';
  const frames: Frame[] = [];
  const waiting = new Set<() => void>();
  const decoder = new TextDecoder();
  let text = '';
  let received = 0;
  let atPrompt = false;
  const code = new Promise<number>(resolve => ws.once('close', resolve));
  ws.on('message', data => {
    const message = parseFrame(data as Buffer);
    if (!message) throw new Error('The server sent something that is not a frame.');
    frames.push(message);
    if (message.op === 'screen') text = message.screen;
    if (message.op === 'command') atPrompt = !message.running;
    if (message.op === 'output') {
      received += message.bytes.length;
      text = (text + decoder.decode(message.bytes, { stream: true })).slice(-2_000_000);
      if (acks) ws.send(ackFrame(message.bytes.length));
    }
    for (const look of waiting) look();
  });
  await new Promise<void>((resolve, reject) => {
    ws.once('open', () => resolve());
    ws.once('error', reject);
  });
  const wait = (holds: () => boolean, what: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!holds()) return;
        waiting.delete(look);
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.delete(look);
        reject(new Error(`${what} did not come. The terminal shows: ${JSON.stringify(text.slice(-1500))}`));
      }, PATIENCE);
      waiting.add(look);
      look();
    });
  return {
    get text() {
      return text;
    },
    frames,
    get received() {
      return received;
    },
    type: input => ws.send(frame(Op.input, input)),
    run: command => {
      atPrompt = false;
      ws.send(frame(Op.run, command));
    },
    ack: bytes => ws.send(ackFrame(bytes)),
    resize: (cols, rows) => ws.send(sizeFrame(cols, rows)),
    sendRaw: data => ws.send(data),
    until: what => wait(() => (typeof what === 'function' ? what(text) : what.test(text)), String(what)),
    untilFrame: async matches => {
      await wait(() => frames.some(matches), 'The frame');
      return frames.find(matches)!;
    },
    prompt: () => wait(() => atPrompt, 'A prompt'),
    closed: () => code,
    close: () => ws.close(),
  };
}
