// One cluster through its kubeconfig: plain requests, the watch and port-forward of @kubernetes/client-node. Cannot tell which
// cluster it is.

import { request as httpRequest } from 'node:http';
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https';
import { Duplex, PassThrough } from 'node:stream';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { KubeConfig } from '@kubernetes/client-node';
import { CouldNotLook } from './could-not-look.ts';

/** One request may take this long, in milliseconds: a cluster that needs more is as good as away. */
const REQUEST_TIMEOUT = 10_000;
/** Connections kept open side by side; what a baseline's burst of creates needs. */
const MAX_SOCKETS = 8;

export interface KubeReply {
  status: number;
  body: any;
}

export interface WatchHandlers {
  event(type: string, object: Record<string, unknown>): void;
  end(error?: unknown): void;
}

export interface KubeApi {
  /** Resolves with any status; rejects with CouldNotLook when there is no answer. A body is sent as JSON. */
  request(method: string, path: string, body?: unknown, contentType?: string): Promise<KubeReply>;
  /** Streams a watch until stopped; `path` without query. */
  watch(path: string, query: Record<string, string>, handlers: WatchHandlers): () => void;
  /** A byte stream to a pod's port; closes itself with the pod's connection. */
  portForward(namespace: string, pod: string, port: number): Promise<Duplex>;
  close(): void;
}

/** Opens the cluster a kubeconfig file names. The client library is only loaded here: it is large. */
export async function openKubeApi(kubeconfig: string): Promise<KubeApi> {
  const client = await import('@kubernetes/client-node');
  const config: KubeConfig = new client.KubeConfig();
  try {
    config.loadFromFile(kubeconfig);
  } catch (error) {
    throw new CouldNotLook(
      {
        'zh-TW': `讀不到 kubeconfig：${(error as Error).message}`,
        en: `The kubeconfig cannot be read: ${(error as Error).message}`,
      },
      error,
    );
  }
  const server = config.getCurrentCluster()?.server;
  if (!server)
    throw new CouldNotLook({ 'zh-TW': 'kubeconfig 裡沒有叢集。', en: 'The kubeconfig names no cluster.' });
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });
  const security: RequestOptions = {};
  await config.applyToHTTPSOptions(security as never);
  const { ca, cert, key, pfx, passphrase, ...others } = security;
  let secureContext: SecureContext | undefined;
  /** Keys and certificates are read once, not for each connection. */
  const secured = () => {
    secureContext ??= createSecureContext({ ca, cert, key, pfx, passphrase } as SecureContextOptions);
    return { ...others, agent, secureContext };
  };
  const stops = new Set<() => void>();

  return {
    request(method, path, body, contentType = 'application/json') {
      const url = new URL(server.replace(/\/$/, '') + path);
      const payload = body === undefined ? undefined : JSON.stringify(body);
      const headers: Record<string, string> = {
        ...(security.headers as Record<string, string>),
        accept: 'application/json',
      };
      if (payload !== undefined) {
        headers['content-type'] = contentType;
        headers['content-length'] = String(Buffer.byteLength(payload));
      }
      return new Promise((resolve, reject) => {
        const fail = (error: Error) => reject(unreachable(server, error));
        const secure = url.protocol === 'https:';
        const options = {
          ...(secure ? secured() : { ...others, agent: undefined }),
          method,
          headers,
          timeout: REQUEST_TIMEOUT,
        };
        const outgoing = (secure ? httpsRequest : httpRequest)(url, options, response => {
          const chunks: Buffer[] = [];
          response.on('data', chunk => chunks.push(chunk));
          response.on('error', fail);
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            let parsed: unknown = text;
            try {
              parsed = JSON.parse(text);
            } catch {
              // Some paths answer in plain text.
            }
            resolve({ status: response.statusCode ?? 0, body: parsed });
          });
        });
        outgoing.on('timeout', () =>
          outgoing.destroy(new Error(`no answer within ${REQUEST_TIMEOUT / 1000} s`)),
        );
        outgoing.on('error', fail);
        outgoing.end(payload);
      });
    },

    watch(path, query, handlers) {
      let stopped = false;
      let controller: AbortController | undefined;
      const stop = () => {
        stopped = true;
        stops.delete(stop);
        controller?.abort();
      };
      stops.add(stop);
      const end = (error?: unknown) => {
        stops.delete(stop);
        if (!stopped) handlers.end(error ?? undefined);
      };
      new client.Watch(config)
        .watch(path, query, (type, object) => void (stopped || handlers.event(type, object)), end)
        .then(started => {
          controller = started;
          if (stopped) controller.abort();
        }, end);
      return stop;
    },

    async portForward(namespace, pod, port) {
      const output = new PassThrough();
      const errors = new PassThrough();
      const input = new PassThrough();
      let complaint = '';
      errors.on('data', chunk => {
        complaint += chunk;
        output.destroy(new Error(complaint.trim()));
      });
      try {
        const socket = await new client.PortForward(config).portForward(
          namespace,
          pod,
          [port],
          output,
          errors,
          input,
        );
        const stream = Duplex.from({ readable: output, writable: input });
        const close = () => (socket as { close(): void }).close();
        stops.add(close);
        (socket as { on?(event: string, listener: () => void): void }).on?.('close', () => {
          stops.delete(close);
          output.end();
        });
        stream.on('close', close);
        return stream;
      } catch (error) {
        throw new CouldNotLook(
          {
            'zh-TW': `無法轉接到 Pod ${namespace}/${pod} 的連接埠 ${port}。`,
            en: `Port ${port} of pod ${namespace}/${pod} cannot be forwarded.`,
          },
          error,
        );
      }
    },

    close() {
      for (const stop of [...stops]) stop();
      agent.destroy();
    },
  };
}

function unreachable(server: string, error: Error): CouldNotLook {
  return new CouldNotLook(
    {
      'zh-TW': `連不上叢集 ${server}：${error.message}`,
      en: `The cluster at ${server} does not answer: ${error.message}`,
    },
    error,
  );
}
