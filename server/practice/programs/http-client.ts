// A program's HTTP request to a URL inside the cluster, with what Go's client says when it fails. Knows no servers.

import { type HttpAnswer, requestHttp } from '../network/index.ts';
import type { Container } from './types.ts';

export interface HttpOptions {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

/** Rejects with Go's words: `Get "http://…": dial tcp …: connect: connection refused`. */
export async function getHttp(
  container: Container,
  uri: string,
  options: HttpOptions = {},
): Promise<HttpAnswer> {
  const { method = 'GET', headers = {}, body } = options;
  const verb = method.charAt(0) + method.slice(1).toLowerCase();
  const url = new URL(uri);
  try {
    const stream = await container.network.dial(url.hostname, Number(url.port || 80));
    return await requestHttp(stream, {
      method,
      path: `${url.pathname}${url.search}`,
      headers: { Host: url.host, 'User-Agent': 'Go-http-client/1.1', Connection: 'close', ...headers },
      ...(body === undefined ? {} : { body }),
    });
  } catch (error) {
    throw new Error(`${verb} "${uri}": ${(error as Error).message}`);
  }
}
