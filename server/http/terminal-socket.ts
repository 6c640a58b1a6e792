// Turns a WebSocket into a viewer of a terminal. Translates frames; decides nothing but when to hang up.

import type { WebSocket } from 'ws';
import {
  commandFrame,
  exitFrame,
  frame,
  type Language,
  Op,
  parseFrame,
  screenFrame,
  sizeFrame,
} from '#common/protocol/index.ts';
import type { Clock } from '../clock.ts';
import type { Terminal } from '../terminal/index.ts';
import { BYTE_RATE, FRAME_RATE, MAX_UNSENT, tokenBucket } from './limits.ts';

/** Why a socket was closed; the page tells the learner accordingly. */
export const Close = { malformed: 4400, notFound: 4404, tooFast: 4408, tooSlow: 4409 } as const;

export function carryTerminal(
  ws: WebSocket,
  terminal: Terminal | undefined,
  language: Language,
  clock: Clock,
): void {
  if (!terminal) {
    ws.close(Close.notFound, 'There is no such terminal.');
    return;
  }
  const frames = tokenBucket(FRAME_RATE, clock);
  const bytes = tokenBucket(BYTE_RATE, clock);
  const send = (data: Uint8Array) => {
    if (ws.readyState !== ws.OPEN) return;
    // Flow control keeps this far lower; only a page that stopped reading and lies about it gets here.
    if (ws.bufferedAmount > MAX_UNSENT) ws.close(Close.tooSlow, 'The page does not read.');
    else ws.send(data);
  };
  const viewing = terminal.view({
    screen: (cols, rows, serialised) => send(screenFrame(cols, rows, serialised)),
    output: data => send(frame(Op.output, data)),
    size: (cols, rows) => send(sizeFrame(cols, rows)),
    command: (running, exitCode) => send(commandFrame(running, exitCode)),
    refused: sentence => send(frame(Op.refused, sentence[language])),
    exit: code => send(exitFrame(code)),
  });
  ws.on('close', () => viewing.leave());
  ws.on('message', (data, isBinary) => {
    const payload = data as Buffer;
    if (!frames.take(1) || !bytes.take(payload.length)) return ws.close(Close.tooFast, 'Too much at once.');
    const message = isBinary ? parseFrame(payload) : undefined;
    let fits = message !== undefined;
    switch (message?.op) {
      case 'input':
        viewing.input(message.bytes);
        break;
      case 'ack':
        fits = viewing.ack(message.bytes);
        break;
      case 'resize':
        fits = viewing.resize(message.cols, message.rows);
        break;
      case 'run':
        viewing.run(message.text);
        break;
      default:
        // Text, an unknown opcode, or one that only the server sends.
        fits = false;
    }
    if (!fits) ws.close(Close.malformed, 'That was not a frame of this protocol.');
  });
}
