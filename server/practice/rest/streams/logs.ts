// `pods/NAME/log`: checks the question, picks the container, and streams what the kubelet says.

import { badRequest, type FieldError, internalError, invalid, type KubeObject } from '../../../kube/index.ts';
import type { RequestContext, ResourcePath } from '../../registry/types.ts';
import type { KubeletApi, LogOptions } from '../kubelet-api.ts';
import { wholeNumber } from '../options.ts';
import type { ServerParts } from '../parts.ts';
import type { Reply, WireResponse } from '../reply.ts';
import { isTrue } from '../request-info.ts';

/** How long a silent log may hold back the headers, ms; a refusal comes sooner than that. */
const HEADER_DELAY = 20;

interface LogExchange {
  parts: ServerParts;
  reply: Reply;
  context: RequestContext;
  path: ResourcePath;
  query: URLSearchParams;
}

export async function sendLogs({ parts, reply, context, path, query }: LogExchange): Promise<void> {
  const { subresource: _subresource, ...podPath } = path;
  const pod = await parts.registry.get(context, podPath);
  const { name, namespace = '' } = pod.metadata;
  const options = logOptions(pod, query);
  // A pod without a node has said nothing yet.
  if (!pod.spec?.nodeName) return reply.body(200, 'text/plain', Buffer.alloc(0));
  const kubelet = requireKubelet(
    parts.kubelet,
    pod,
    `containerLogs/${namespace}/${name}/${options.container}`,
  );

  const abort = new AbortController();
  const forget = parts.track(() => abort.abort());
  reply.response.once('close', () => abort.abort());
  try {
    const chunks = kubelet.logs(namespace, name, options, abort.signal)[Symbol.asyncIterator]();
    // Headers are only promised once the kubelet has not refused.
    let next = chunks.next();
    await Promise.race([next, parts.clock.sleep(HEADER_DELAY, abort.signal)]);
    if (!reply.response.destroyed) reply.stream('text/plain');
    for (;;) {
      const { value, done } = await next;
      if (done || reply.response.destroyed) break;
      if (!reply.response.write(value)) await drained(reply.response);
      next = chunks.next();
    }
    await chunks.return?.();
    reply.response.end();
  } finally {
    forget();
  }
}

function logOptions(pod: KubeObject, query: URLSearchParams): LogOptions {
  const tailLines = wholeNumber(query.get('tailLines'));
  const sinceSeconds = wholeNumber(query.get('sinceSeconds'));
  const limitBytes = wholeNumber(query.get('limitBytes'));
  const sinceTime = query.get('sinceTime') ?? '';
  const findings: FieldError[] = [];
  const bad = (field: string, value: number | string, text: string) =>
    findings.push({ field, type: 'Invalid', message: `Invalid value: ${value}: ${text}` });
  if (tailLines !== undefined && tailLines < 0)
    bad('tailLines', tailLines, 'must be greater than or equal to 0');
  if (limitBytes !== undefined && limitBytes < 1) bad('limitBytes', limitBytes, 'must be greater than 0');
  if (sinceSeconds !== undefined && sinceTime !== '') {
    findings.push({
      field: '',
      type: 'Forbidden',
      message: 'Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified',
    });
  } else if (sinceSeconds !== undefined && sinceSeconds < 1)
    bad('sinceSeconds', sinceSeconds, 'must be greater than 0');
  if (findings.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, pod.metadata.name, findings);
  return {
    container: containerOf(pod, query.get('container') ?? ''),
    ...(isTrue(query.get('follow')) ? { follow: true } : {}),
    ...(isTrue(query.get('previous')) ? { previous: true } : {}),
    ...(isTrue(query.get('timestamps')) ? { timestamps: true } : {}),
    ...(tailLines !== undefined ? { tailLines } : {}),
    ...(sinceSeconds !== undefined ? { sinceSeconds } : {}),
    ...(sinceTime !== '' ? { sinceTime } : {}),
    ...(limitBytes !== undefined ? { limitBytes } : {}),
  };
}

/** The container that a request means: the named one, or the only one. */
export function containerOf(pod: KubeObject, asked: string): string {
  const names = (field: string): string[] =>
    ((pod.spec?.[field] ?? []) as { name: string }[]).map(container => container.name);
  const containers = names('containers');
  const init = names('initContainers');
  const ephemeral = names('ephemeralContainers');
  if (asked !== '') {
    if ([...containers, ...init, ...ephemeral].includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${pod.metadata.name}`);
  }
  if (containers.length === 1) return containers[0] as string;
  let message = `a container name must be specified for pod ${pod.metadata.name}, choose one of: [${containers.join(' ')}]`;
  if (init.length > 0) message += ` or one of the init containers: [${init.join(' ')}]`;
  if (ephemeral.length > 0) message += ` or one of the ephemeral containers: [${ephemeral.join(' ')}]`;
  throw badRequest(message);
}

/** A cluster without kubelets (control plane only) has nobody to ask: what a real server says then. */
export function requireKubelet(kubelet: KubeletApi | undefined, pod: KubeObject, path: string): KubeletApi {
  if (kubelet) return kubelet;
  const host = pod.spec?.nodeName as string;
  throw internalError(`Get "https://${host}:10250/${path}": dial tcp: lookup ${host}: no such host`);
}

function drained(response: WireResponse): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      response.removeListener('drain', done);
      response.removeListener('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}
