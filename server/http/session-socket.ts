// Turns a WebSocket into a subscriber of a session. Translates messages; decides nothing but when to hang up.

import type { WebSocket } from 'ws';
import { z } from 'zod';
import type { SessionMessage, SessionRequest } from '#common/protocol/index.ts';
import type { Clock } from '../clock.ts';
import type { Session } from '../session/index.ts';
import { MESSAGE_RATE, tokenBucket } from './limits.ts';
import { Close } from './terminal-socket.ts';

const name = z.string().min(1).max(100);

const sessionRequest = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('answer'), step: name, check: name, value: z.string().max(2000) }),
  z.strictObject({ type: z.literal('hint'), step: name }),
  z.strictObject({ type: z.literal('rewind'), step: name }),
  z.strictObject({ type: z.literal('undo') }),
  z.strictObject({ type: z.literal('solution'), step: name }),
  z.strictObject({ type: z.literal('reset') }),
  z.strictObject({ type: z.literal('compare'), step: name, line: z.int().min(0).max(999) }),
  z.strictObject({ type: z.literal('map'), open: z.boolean() }),
  z.strictObject({ type: z.literal('open-terminal') }),
  z.strictObject({ type: z.literal('close-terminal'), terminal: name }),
]) satisfies z.ZodType<SessionRequest>;

export function carrySession(ws: WebSocket, session: Session | undefined, clock: Clock): void {
  if (!session) {
    ws.close(Close.notFound, 'There is no such session.');
    return;
  }
  const messages = tokenBucket(MESSAGE_RATE, clock);
  const send = (message: SessionMessage) => {
    if (ws.readyState === ws.OPEN) ws.send(JSON.stringify(message));
  };
  ws.on('close', session.subscribe(send));
  let stopMap = () => {};
  ws.on('close', () => stopMap());
  send({ type: 'state', state: session.state() });
  ws.on('message', (data, isBinary) => {
    if (!messages.take(1)) return ws.close(Close.tooFast, 'Too much at once.');
    const request = isBinary ? undefined : sessionRequest.safeParse(parseJson(String(data)));
    if (!request?.success) return ws.close(Close.malformed, 'That was not a message of this protocol.');
    if (request.data.type === 'map') {
      stopMap();
      stopMap = request.data.open ? session.watchMap(send) : () => {};
      return;
    }
    session.handle(request.data).catch(error => {
      console.error(error);
      const said = error instanceof Error ? error.message : String(error);
      send({ type: 'error', note: { 'zh-TW': `沒有成功：${said}`, en: `That did not work: ${said}` } });
    });
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
