// Shows the pages of an Astro dev server through our own address, so that one origin carries pages, requests and sockets.

import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';

export interface DevSite {
  request(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void;
}

/** `port` is the dev server's, on 127.0.0.1. */
export function createDevSite(port: number): DevSite {
  const host = `127.0.0.1:${port}`;
  return {
    request: (request, response) => {
      const { cookie: _, ...headers } = request.headers;
      const onward = httpRequest(
        { host: '127.0.0.1', port, method: request.method, path: request.url, headers: { ...headers, host } },
        answer => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        },
      );
      onward.on('error', () => {
        if (!response.headersSent) response.writeHead(502, { 'content-type': 'text/plain' });
        response.end('The dev server does not answer yet.\n');
      });
      request.pipe(onward);
    },
    upgrade: (request, socket, head) => {
      const onward = connect(port, '127.0.0.1', () => {
        const lines = [
          `${request.method} ${request.url} HTTP/1.1`,
          `host: ${host}`,
          `origin: http://${host}`,
        ];
        for (const [name, value] of Object.entries(request.headers)) {
          if (!['host', 'origin', 'cookie'].includes(name)) lines.push(`${name}: ${value}`);
        }
        onward.write(`${lines.join('\r\n')}\r\n\r\n`);
        onward.write(head);
        onward.pipe(socket).pipe(onward);
      });
      onward.on('error', () => socket.destroy());
      socket.on('error', () => onward.destroy());
    },
  };
}
