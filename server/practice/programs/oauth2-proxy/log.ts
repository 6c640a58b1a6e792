// How oauth2-proxy writes its log: what it does, who signed in, and each request. Knows no decisions.

import type { Container, HttpRequest, HttpResponse } from '../types.ts';

export interface ProxyLog {
  /** `place` is where upstream says it: `oauthproxy.go:176`. */
  info(place: string, message: string): void;
  auth(of: {
    peer: string;
    id: string;
    user: string;
    outcome: 'AuthSuccess' | 'AuthFailure';
    message: string;
  }): void;
  request(of: {
    peer: string;
    id: string;
    user: string;
    request: HttpRequest;
    path: string;
    response: HttpResponse;
    seconds: string;
  }): void;
}

export function proxyLog(container: Container): ProxyLog {
  const at = () => {
    const text = new Date(container.clock.now()).toISOString();
    return `${text.slice(0, 10).replaceAll('-', '/')} ${text.slice(11, 19)}`;
  };
  return {
    info: (place, message) => container.logError(`[${at()}] [${place}] ${message}`),
    auth: ({ peer, id, user, outcome, message }) =>
      container.log(`${peer} - ${id} - ${user || '-'} [${at()}] [${outcome}] ${message}`),
    request({ peer, id, user, request: { method, headers }, path, response, seconds }) {
      const upstream = response.status === 200 && !path.startsWith('/oauth2/') ? 'static://200' : '-';
      const size = Buffer.byteLength(response.body ?? '');
      container.log(
        `${peer} - ${id} - ${user || '-'} [${at()}] ${headers['host'] ?? ''} ${method} ${upstream} "${path}" HTTP/1.1 "${headers['user-agent'] ?? ''}" ${response.status} ${size} ${seconds}`,
      );
    },
  };
}
