// A double of the local server for stories about the page alone: it serves the built site and speaks the session and terminal
// protocol with a scripted attempt and a toy shell. It exists for states that a real cluster reaches seldom (slipped steps,
// lost lines, no kubectl); the lab itself is tested against the real server.

import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { type WebSocket, WebSocketServer } from 'ws';
import {
  type AttemptView,
  commandFrame,
  exitFrame,
  frame,
  type Loss,
  Op,
  type OpenAnswer,
  parseFrame,
  type ServerStatus,
  type SessionMessage,
  type SessionRequest,
  type SessionState,
  screenFrame,
  type Text,
} from '../../src/common/protocol/index.ts';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
};

/** The policy that the real server sends. */
export const CSP =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

export interface Double {
  url: string;
  status: ServerStatus;
  /** What the next POST /api/session answers; a refusal is used once. */
  refuseOnce?: Exclude<OpenAnswer, { ok: true }>;
  attempt: AttemptView | undefined;
  requests: SessionRequest[];
  /** What each line of a solution would take from the learner. */
  loss: Loss;
  /** Why an undo would not bring back files. */
  filesStay?: Text;
  /** Everything that arrived as input or run, terminal by terminal. */
  typed: Map<string, string>;
  acked: Map<string, number>;
  tell(message: SessionMessage): void;
  output(terminal: string, bytes: Uint8Array): void;
  exit(terminal: string, code: number): void;
  /** Cuts every socket, as a sleeping laptop does. */
  cut(): void;
  close(): Promise<void>;
}

export async function startDouble(
  dist: string,
  attempt: AttemptView | undefined,
  withServer = true,
  /** Folder of the host that the site lies in. */
  base = '/',
): Promise<Double> {
  const sessions = new Set<WebSocket>();
  const terminals = new Map<string, WebSocket>();
  const state: SessionState = {
    session: 's1',
    cluster: {
      kind: 'practice',
      state: 'available',
      version: 'v1.36.2',
      note: { 'zh-TW': '內建的練習叢集', en: 'The built-in practice cluster' },
    },
    terminals: [{ id: 't1', title: '1' }],
    attempt,
  };
  let nextTerminal = 2;
  const double: Double = {
    url: '',
    status: {
      version: '0.0.0',
      kubectl: { state: 'found', path: 'kubectl', version: 'v1.33.0', source: 'path' },
      sandbox: { tier: 'bwrap', note: { 'zh-TW': '有沙箱', en: 'Sandboxed' } },
      clusters: [
        state.cluster,
        {
          kind: 'minikube',
          state: 'unavailable',
          note: {
            'zh-TW': '這台電腦上找不到 minikube。',
            en: 'There is no minikube on this machine.',
          },
        },
      ],
    },
    attempt,
    requests: [],
    loss: { objects: [], files: [] },
    typed: new Map(),
    acked: new Map(),
    tell(message) {
      for (const socket of sessions) socket.send(JSON.stringify(message));
    },
    output: (terminal, bytes) => terminals.get(terminal)?.send(frame(Op.output, bytes)),
    exit: (terminal, code) => terminals.get(terminal)?.send(exitFrame(code)),
    cut() {
      for (const socket of [...sessions, ...terminals.values()]) socket.terminate();
    },
    async close() {
      double.cut();
      sockets.close();
      server.closeAllConnections();
      await new Promise(done => server.close(done));
    },
  };

  const server: Server = createServer(async (request, response): Promise<void> => {
    const { pathname } = new URL(request.url ?? '/', 'http://double');
    const json = (body: unknown): void => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (withServer && pathname === '/api/status') return json(double.status);
    if (withServer && pathname === '/api/session') {
      const refusal = double.refuseOnce;
      delete double.refuseOnce;
      return json(refusal ?? ({ ok: true, state } satisfies OpenAnswer));
    }
    if (withServer && pathname === '/api/kubectl/fetch') {
      double.status.kubectl = { state: 'found', path: 'kubectl', version: 'v1.36.0', source: 'cache' };
      return json(double.status);
    }
    const path = normalize(decodeURIComponent(pathname))
      .replace(/\/$/, '/index.html')
      .slice(base.length - 1);
    try {
      if (!pathname.startsWith(base)) throw new Error('outside of the site');
      const body = await readFile(join(dist, path));
      response.writeHead(200, {
        'content-type': TYPES[extname(path)] ?? 'text/plain',
        'content-security-policy': CSP,
      });
      response.end(body);
    } catch {
      response.writeHead(404, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': CSP });
      response.end(await readFile(join(dist, '404.html')));
    }
  });

  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, request) => {
    const [, , kind, id = ''] = (request.url ?? '').split('/');
    if (kind === 'session') serveSession(socket);
    else serveTerminal(socket, id);
  });

  function serveSession(socket: WebSocket): void {
    sessions.add(socket);
    socket.on('close', () => sessions.delete(socket));
    socket.send(
      JSON.stringify({
        type: 'state',
        state: { ...state, attempt: double.attempt },
      } satisfies SessionMessage),
    );
    socket.on('message', data => {
      const wish = JSON.parse(String(data)) as SessionRequest;
      double.requests.push(wish);
      if (wish.type === 'open-terminal') {
        const id = `t${nextTerminal++}`;
        state.terminals = [...state.terminals, { id, title: id }];
      } else if (wish.type === 'close-terminal') {
        state.terminals = state.terminals.filter(one => one.id !== wish.terminal);
      } else if (wish.type === 'compare') {
        const { step, line } = wish;
        return double.tell({
          type: 'compared',
          step,
          line,
          loss: double.loss,
          undo: true,
          files: double.filesStay,
        });
      } else {
        return;
      }
      double.tell({ type: 'terminals', terminals: state.terminals });
    });
  }

  /** A toy shell: echoes what is typed; `run` prints the command, a line and a new prompt. */
  function serveTerminal(socket: WebSocket, id: string): void {
    terminals.set(id, socket);
    const log = (text: string) => double.typed.set(id, (double.typed.get(id) ?? '') + text);
    socket.send(screenFrame(80, 24, double.typed.get(id) ? 'welcome back\r\n$ ' : '$ '));
    socket.send(commandFrame(false, 0));
    socket.on('message', (data: Buffer) => {
      const message = parseFrame(data);
      if (message?.op === 'input') {
        log(Buffer.from(message.bytes).toString());
        socket.send(frame(Op.output, message.bytes));
      } else if (message?.op === 'ack') double.acked.set(id, (double.acked.get(id) ?? 0) + message.bytes);
      else if (message?.op === 'run') {
        log(`${message.text}\n`);
        socket.send(commandFrame(true));
        socket.send(frame(Op.output, `${message.text}\r\nran in ${id}\r\n$ `));
        // A port-forward stays, everything else ends at once.
        if (!message.text.includes('port-forward'))
          socket.send(commandFrame(false, message.text.includes('false') ? 1 : 0));
      }
    });
  }

  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  double.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return double;
}
