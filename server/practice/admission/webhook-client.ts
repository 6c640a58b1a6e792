// How the API server reaches a webhook, by service or by URL: the address, the look at the service, the call, the time-out.
// Knows nothing of what is asked.

import type { Clock } from '../../clock.ts';
import { requestHttp } from '../network/index.ts';
import type { Network } from '../network/types.ts';
import type { AdmissionContext } from './types.ts';

export interface WebhookClientConfig {
  url?: string;
  service?: { name: string; namespace: string; path?: string; port?: number };
}

/** What every call needs beside its words. */
export interface WebhookTransport {
  clock: Clock;
  /** The cluster's network, once there is one. */
  network(): Network | undefined;
}

/** The look at services and their endpoints. */
export type ServiceFacts = Pick<AdmissionContext, 'read' | 'listAll'>;

interface Address {
  /** As messages show it. */
  url: string;
  host: string;
  /** What is dialled: the API server asks no DNS for a service, so its whole name is used. */
  target: string;
  port: number;
  path: string;
}

function addressOf({ service, url }: WebhookClientConfig, seconds: number): Address {
  if (service) {
    const port = service.port ?? 443;
    const host = `${service.name}.${service.namespace}.svc`;
    const path = `${service.path ? (service.path.startsWith('/') ? service.path : `/${service.path}`) : '/'}?timeout=${seconds}s`;
    return { url: `https://${host}:${port}${path}`, host, target: `${host}.cluster.local`, port, path };
  }
  const parsed = new URL(url ?? '');
  parsed.searchParams.set('timeout', `${seconds}s`);
  return {
    url: String(parsed),
    host: parsed.hostname,
    target: parsed.hostname,
    port: Number(parsed.port || 443),
    path: parsed.pathname + parsed.search,
  };
}

/** The API server looks a service up itself before it connects. */
function checkService({ service }: WebhookClientConfig, facts: ServiceFacts): void {
  if (!service) return;
  const found = facts.read({ group: '', resource: 'services' }, service.namespace, service.name);
  if (!found) throw new Error(`service "${service.name}" not found`);
  if (found.spec?.type === 'ExternalName') return;
  const port = service.port ?? 443;
  if (!(found.spec?.ports ?? []).some((candidate: { port: number }) => candidate.port === port)) {
    throw new Error(`no service port ${port} found for service "${service.name}"`);
  }
  const slices = facts
    .listAll({ group: 'discovery.k8s.io', resource: 'endpointslices' }, service.namespace)
    .filter(slice => slice.metadata.labels?.['kubernetes.io/service-name'] === service.name);
  const ready = slices.some(slice =>
    (slice.endpoints ?? []).some(
      (endpoint: { conditions?: { ready?: boolean } }) => endpoint.conditions?.ready !== false,
    ),
  );
  if (!ready) throw new Error(`no endpoints available for service "${service.name}"`);
}

/** The URL as messages show it. */
export function webhookUrl(config: WebhookClientConfig, seconds: number): string {
  return addressOf(config, seconds).url;
}

/** Posts `body` and gives the answer. Rejects with the bare reason; whoever calls says what was being done. */
export async function postToWebhook(
  config: WebhookClientConfig,
  body: string,
  seconds: number,
  facts: ServiceFacts,
  transport: WebhookTransport,
): Promise<{ status: number; text: string }> {
  checkService(config, facts);
  const { host, target, port, path } = addressOf(config, seconds);
  const network = transport.network();
  if (!network) throw new Error('context deadline exceeded');
  const stop = new AbortController();
  const late = transport.clock.sleep(seconds * 1000, stop.signal).then(() => {
    throw new Error('context deadline exceeded');
  });
  late.catch(() => {});
  const call = async () => {
    const stream = await network.dial(target, port);
    return requestHttp(stream, {
      method: 'POST',
      path,
      headers: { host: `${host}:${port}`, 'content-type': 'application/json', accept: 'application/json' },
      body,
    });
  };
  try {
    const answer = await Promise.race([call(), late]);
    return { status: answer.status, text: Buffer.from(answer.body).toString() };
  } finally {
    stop.abort();
  }
}
