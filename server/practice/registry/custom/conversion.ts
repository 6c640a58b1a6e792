// Asks the webhook of a CustomResourceDefinition for objects in another version. Knows the review that goes out, what may
// come back, and upstream's words for everything else. Knows no requests and no storage.

import type { KubeObject } from '../../../kube/index.ts';
import { parseApiVersion } from '../../../kube/index.ts';
import {
  postToWebhook,
  type ServiceFacts,
  type WebhookClientConfig,
  type WebhookTransport,
  webhookUrl,
} from '../../admission/index.ts';
import type { Environment } from '../environment.ts';
import { listAny, plainError, readAny } from '../environment.ts';
import { copyOf, isObject } from '../values.ts';

/** Upstream's time for a conversion. */
const SECONDS = 30;

/** Objects in, the same objects in `apiVersion` out, in their order. */
export type Converter = (objects: readonly KubeObject[], apiVersion: string) => Promise<KubeObject[]>;

interface ConversionWebhook {
  clientConfig: WebhookClientConfig;
  conversionReviewVersions: string[];
}

/** The converter of a definition; undefined when its strategy is None. */
export function converterOf(
  environment: Environment,
  transport: WebhookTransport | undefined,
  crd: KubeObject,
): Converter | undefined {
  const { conversion } = crd.spec;
  if (conversion?.strategy !== 'Webhook') return undefined;
  const webhook: ConversionWebhook = conversion.webhook;
  const facts: ServiceFacts = {
    read: (resource, namespace, name) => readAny(environment, resource, namespace, name),
    listAll: (resource, namespace) => listAny(environment, resource, namespace),
  };
  return async (objects, apiVersion) => {
    const [first] = objects;
    if (!first) return [];
    const { group, version } = parseApiVersion(first.apiVersion);
    const said = (text: string) =>
      plainError(`conversion webhook for ${group}/${version}, Kind=${first.kind} ${text}`);
    const review = webhook.conversionReviewVersions.find(name => name === 'v1' || name === 'v1beta1');
    if (!review) throw plainError('no supported conversion review versions');
    const uid = environment.random.uuid();
    let answered: unknown[];
    try {
      if (!transport) throw new Error('context deadline exceeded');
      const body = JSON.stringify({
        kind: 'ConversionReview',
        apiVersion: `apiextensions.k8s.io/${review}`,
        request: { uid, desiredAPIVersion: apiVersion, objects },
      });
      const text = await ask(webhook.clientConfig, body, facts, transport);
      answered = convertedObjects(text, review, uid);
    } catch (error) {
      throw said(`failed: ${error instanceof Error ? error.message : error}`);
    }
    if (answered.length !== objects.length)
      throw said(`returned ${answered.length} objects, expected ${objects.length}`);
    return answered.map((converted, index) => {
      try {
        return accepted(objects[index] as KubeObject, converted, apiVersion);
      } catch (error) {
        throw said(`returned invalid ${(error as Error).message}`);
      }
    });
  };
}

async function ask(
  config: WebhookClientConfig,
  body: string,
  facts: ServiceFacts,
  transport: WebhookTransport,
): Promise<string> {
  let answer: { status: number; text: string };
  try {
    answer = await postToWebhook(config, body, SECONDS, facts, transport);
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    throw new Error(`Post "${webhookUrl(config, SECONDS)}": ${why}`);
  }
  if (answer.status >= 200 && answer.status < 300) return answer.text;
  if (answer.status === 404) throw new Error('the server could not find the requested resource');
  throw new Error(
    `an error on the server (${JSON.stringify(answer.text.trim() || 'unknown')}) has prevented the request from succeeding`,
  );
}

function convertedObjects(text: string, version: string, uid: string): unknown[] {
  const review: unknown = JSON.parse(text);
  const response = isObject(review) ? review.response : undefined;
  if (!isObject(review) || !isObject(response)) throw new Error('no response provided');
  if (version === 'v1') {
    const wanted = 'apiextensions.k8s.io/v1, Kind=ConversionReview';
    const came = `${String(review.apiVersion)}, Kind=${String(review.kind)}`;
    if (came !== wanted) throw new Error(`expected webhook response of ${wanted}, got ${came}`);
    if (response.uid !== uid)
      throw new Error(`expected response.uid="${uid}", got "${String(response.uid ?? '')}"`);
  }
  const result = isObject(response.result) ? response.result : {};
  if (result.status !== 'Success') {
    if (result.message) throw new Error(String(result.message));
    throw new Error(`response.result.status was '${String(result.status ?? '')}', not 'Success'`);
  }
  return Array.isArray(response.convertedObjects) ? response.convertedObjects : [];
}

/** The converted object with the metadata of the original: a webhook may change labels and annotations only. */
function accepted(original: KubeObject, converted: unknown, apiVersion: string): KubeObject {
  const at = 'object';
  if (!isObject(converted)) throw new Error(`${at} at index 0: it is no object`);
  if (converted.apiVersion !== apiVersion)
    throw new Error(
      `${at} at index 0: invalid groupVersion (expected ${apiVersion}, received ${String(converted.apiVersion ?? '')})`,
    );
  if (converted.kind !== original.kind)
    throw new Error(
      `${at} at index 0: invalid kind (expected ${original.kind}, received ${String(converted.kind ?? '')})`,
    );
  const given = converted.metadata;
  if (given === undefined) throw new Error('metadata: missing metadata in converted object');
  if (!isObject(given)) throw new Error('metadata: invalid metadata in converted object');
  const before = original.metadata;
  for (const [key, name] of [
    ['name', 'name'],
    ['namespace', 'namespace'],
    ['uid', 'UID'],
  ] as const) {
    const [was, is] = [String(before[key] ?? ''), String(given[key] ?? '')];
    if (was !== is) throw new Error(`${at}: must have the same ${name}: ${was} != ${is}`);
  }
  const metadata: Record<string, unknown> = { ...copyOf(before) };
  for (const key of ['labels', 'annotations']) {
    const map = given[key];
    delete metadata[key];
    if (map === undefined || map === null) continue;
    if (!isObject(map)) throw new Error(`metadata: invalid metadata.${key} in converted object`);
    for (const [name, value] of Object.entries(map))
      if (typeof value !== 'string')
        throw new Error(`metadata: metadata.${key}[${name}] must be a string in converted object`);
    metadata[key] = map;
  }
  return { ...converted, metadata } as unknown as KubeObject;
}
