// One call of an admission webhook: the review that goes out, the answer that comes back, and how failures read.

import { type Status, StatusError } from '../../kube/index.ts';
import type { ResourceRule, Selector } from './matching.ts';
import type { AdmissionContext, AdmissionRequest } from './types.ts';
import {
  postToWebhook,
  type WebhookClientConfig,
  type WebhookTransport,
  webhookUrl,
} from './webhook-client.ts';

export interface Webhook {
  name: string;
  clientConfig: WebhookClientConfig;
  timeoutSeconds?: number;
  failurePolicy?: string;
  sideEffects?: string;
  /** Mutating ones only: `IfNeeded` asks again when others changed the object afterwards. */
  reinvocationPolicy?: string;
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

/** Asks one webhook. Rejects with a StatusError that already says which webhook failed and how. */
export async function callWebhook(
  hook: Webhook,
  request: AdmissionRequest,
  context: AdmissionContext,
  transport: WebhookTransport,
): Promise<WebhookAnswer> {
  const seconds = hook.timeoutSeconds ?? DEFAULT_SECONDS;
  const uid = `${context.randomText(8)}-${context.randomText(4)}-${context.randomText(4)}-${context.randomText(12)}`;
  try {
    const body = JSON.stringify(reviewOf(request, uid));
    const { status, text } = await postToWebhook(hook.clientConfig, body, seconds, context, transport);
    if (status < 200 || status > 299) throw new WebhookCallError(text.trim() || `status ${status}`);
    return readAnswer(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new WebhookCallError(
      `failed calling webhook "${hook.name}": failed to call webhook: Post "${webhookUrl(hook.clientConfig, seconds)}": ${why}`,
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
