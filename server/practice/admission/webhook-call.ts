// One call of an admission webhook: the review that goes out, the answer that comes back, and how failures read.

import type { Clock } from '../../clock.ts';
import { type Status, StatusError } from '../../kube/index.ts';
import { requestHttp } from '../network/index.ts';
import type { Network } from '../network/types.ts';
import type { ResourceRule, Selector } from './matching.ts';
import type { AdmissionContext, AdmissionRequest } from './types.ts';

export interface WebhookClientConfig {
  url?: string;
  service?: { name: string; namespace: string; path?: string; port?: number };
}

export interface Webhook {
  name: string;
  clientConfig: WebhookClientConfig;
  timeoutSeconds?: number;
  failurePolicy?: string;
  sideEffects?: string;
  rules?: ResourceRule[];
  namespaceSelector?: Selector;
  objectSelector?: Selector;
  matchConditions?: { name: string; expression: string }[];
}

export interface WebhookAnswer {
  allowed: boolean;
  status?: Partial<Status>;
  /** JSON patch operations. */
  patch?: unknown[];
  warnings: string[];
}

/** Why a webhook could not be asked; failurePolicy decides what that means. */
export class WebhookCallError extends Error {}

const DEFAULT_SECONDS = 10;

interface Address {
  /** As messages show it. */
  url: string;
  host: string;
  /** What is dialled: the API server asks no DNS for a service, so its whole name is used. */
  target: string;
  port: number;
  path: string;
}

function addressOf(hook: Webhook): Address {
  const seconds = hook.timeoutSeconds ?? DEFAULT_SECONDS;
  const { service, url } = hook.clientConfig;
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
function checkService(hook: Webhook, context: AdmissionContext): void {
  const { service } = hook.clientConfig;
  if (!service) return;
  const found = context.read({ group: '', resource: 'services' }, service.namespace, service.name);
  if (!found) throw new WebhookCallError(`service "${service.name}" not found`);
  if (found.spec?.type === 'ExternalName') return;
  const port = service.port ?? 443;
  if (!(found.spec?.ports ?? []).some((candidate: { port: number }) => candidate.port === port)) {
    throw new WebhookCallError(`no service port ${port} found for service "${service.name}"`);
  }
  const slices = context
    .listAll({ group: 'discovery.k8s.io', resource: 'endpointslices' }, service.namespace)
    .filter(slice => slice.metadata.labels?.['kubernetes.io/service-name'] === service.name);
  const ready = slices.some(slice =>
    (slice.endpoints ?? []).some(
      (endpoint: { conditions?: { ready?: boolean } }) => endpoint.conditions?.ready !== false,
    ),
  );
  if (!ready) throw new WebhookCallError(`no endpoints available for service "${service.name}"`);
}

function reviewOf(request: AdmissionRequest, uid: string): Record<string, unknown> {
  const { definition, version, subresource, namespace, user, operation, dryRun, name, object, old } = request;
  const kind = { group: definition.group, version, kind: definition.kind };
  const resource = { group: definition.group, version, resource: definition.resource };
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid,
      kind,
      resource,
      ...(subresource ? { subResource: subresource } : {}),
      requestKind: kind,
      requestResource: resource,
      ...(subresource ? { requestSubResource: subresource } : {}),
      name,
      ...(namespace ? { namespace } : {}),
      operation,
      userInfo: {
        username: user.name,
        ...(user.uid ? { uid: user.uid } : {}),
        groups: user.groups,
        ...(user.extra ? { extra: user.extra } : {}),
      },
      object: object ?? null,
      oldObject: old ?? null,
      dryRun,
      options: request.options ?? null,
    },
  };
}

async function post(
  hook: Webhook,
  body: string,
  clock: Clock,
  network: Network | undefined,
): Promise<{ status: number; body: Uint8Array }> {
  const { host, target, port, path } = addressOf(hook);
  if (!network) throw new WebhookCallError('context deadline exceeded');
  const stop = new AbortController();
  const late = clock.sleep((hook.timeoutSeconds ?? DEFAULT_SECONDS) * 1000, stop.signal).then(() => {
    throw new WebhookCallError('context deadline exceeded');
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
    return await Promise.race([call(), late]);
  } finally {
    stop.abort();
  }
}

/** Asks one webhook. Rejects with a StatusError that already says which webhook failed and how. */
export async function callWebhook(
  hook: Webhook,
  request: AdmissionRequest,
  context: AdmissionContext,
  clock: Clock,
  network: Network | undefined,
): Promise<WebhookAnswer> {
  const { url } = addressOf(hook);
  const uid = `${context.randomText(8)}-${context.randomText(4)}-${context.randomText(4)}-${context.randomText(12)}`;
  try {
    checkService(hook, context);
    const answer = await post(hook, JSON.stringify(reviewOf(request, uid)), clock, network);
    const text = Buffer.from(answer.body).toString();
    if (answer.status < 200 || answer.status > 299)
      throw new WebhookCallError(text.trim() || `status ${answer.status}`);
    return readAnswer(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new WebhookCallError(
      `failed calling webhook "${hook.name}": failed to call webhook: Post "${url}": ${why}`,
    );
  }
}

function readAnswer(text: string): WebhookAnswer {
  const review = JSON.parse(text) as {
    response?: { allowed?: boolean; status?: Partial<Status>; patch?: string; warnings?: string[] };
  };
  const { response } = review;
  if (!response) throw new WebhookCallError('webhook response was absent');
  return {
    allowed: response.allowed === true,
    warnings: response.warnings ?? [],
    ...(response.status ? { status: response.status } : {}),
    ...(response.patch
      ? { patch: JSON.parse(Buffer.from(response.patch, 'base64').toString()) as unknown[] }
      : {}),
  };
}

/** How a refusal by a webhook reads. */
export function deniedBy(name: string, status: Partial<Status> | undefined): StatusError {
  const says = `admission webhook "${name}" denied the request`;
  const code = status?.code !== undefined && status.code >= 400 ? status.code : 400;
  const message = status?.message
    ? `${says}: ${status.message}`
    : status?.reason
      ? `${says}: ${status.reason}`
      : `${says} without explanation`;
  return new StatusError({
    message,
    code,
    ...(status?.reason ? { reason: status.reason } : {}),
    ...(status?.details ? { details: status.details } : {}),
  });
}
