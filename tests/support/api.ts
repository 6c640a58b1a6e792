// Plain HTTPS requests to a test cluster with the credentials of its kubeconfig, for what kubectl does not let one ask.

import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import { parse } from 'yaml';

export interface ApiAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** Undefined when the body is not JSON. */
  json: unknown;
}

export interface ApiRequest {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** False: no client certificate. */
  credentials?: boolean;
}

interface Credentials {
  server: string;
  agent: Agent;
  anonymous: Agent;
}

const known = new Map<string, Credentials>();

function credentials(kubeconfig: string): Credentials {
  let found = known.get(kubeconfig);
  if (!found) {
    const config = parse(readFileSync(kubeconfig, 'utf8')) as {
      clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
      users: { user: { 'client-certificate-data'?: string; 'client-key-data'?: string } }[];
    };
    const decode = (text: string | undefined) => Buffer.from(text ?? '', 'base64');
    const cluster = config.clusters[0]?.cluster;
    const user = config.users[0]?.user;
    const ca = decode(cluster?.['certificate-authority-data']);
    found = {
      server: cluster?.server ?? '',
      agent: new Agent({
        keepAlive: true,
        ca,
        cert: decode(user?.['client-certificate-data']),
        key: decode(user?.['client-key-data']),
      }),
      anonymous: new Agent({ keepAlive: true, ca }),
    };
    known.set(kubeconfig, found);
  }
  return found;
}

export const apiGet = (kubeconfig: string, url: string, path: string, headers: Record<string, string> = {}) =>
  api(kubeconfig, url, path, { headers });

/** `url` wins over the kubeconfig's server when it is not empty. */
export function api(
  kubeconfig: string,
  url: string,
  path: string,
  options: ApiRequest = {},
): Promise<ApiAnswer> {
  const { server, agent, anonymous } = credentials(kubeconfig);
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url || server);
    // Node frames the body of a DELETE only when told its length.
    const length =
      options.body === undefined ? {} : { 'content-length': String(Buffer.byteLength(options.body)) };
    const outgoing = request(
      {
        hostname,
        port,
        path: path.replace(/[^\x21-\x7e]/gu, encodeURIComponent),
        method: options.method ?? 'GET',
        headers: { ...length, ...options.headers },
        agent: options.credentials === false ? anonymous : agent,
        timeout: 20_000,
      },
      answer => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.once('error', reject);
        answer.once('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, json: parseJson(text) });
        });
      },
    );
    outgoing.once('error', reject);
    outgoing.once('timeout', () => outgoing.destroy(new Error(`${path} did not answer in time.`)));
    outgoing.end(options.body);
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
