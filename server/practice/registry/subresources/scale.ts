// The scale subresource of every kind that has one: a view of two numbers and a selector. Knows no kind in particular.

import type { KubeObject, PatchType } from '../../../kube/index.ts';
import { badRequest, invalid } from '../../../kube/index.ts';
import { formatLabelSelector } from '../../../kube/selectors/index.ts';
import { schemaFor } from '../../schema/index.ts';
import { decodeBody, fit } from '../decode.ts';
import { type Environment, noSuchResource, readOrThrow } from '../environment.ts';
import { applyPatch } from '../patch.ts';
import type { RequestBody, RequestContext, ResourcePath, ServedResource, WriteResult } from '../types.ts';
import { updateObject } from '../update.ts';
import { copyOf, isObject } from '../values.ts';

const SCALE = { group: 'autoscaling', version: 'v1', kind: 'Scale' };

/** As a served kind, so that bodies are decoded and patched like any other. */
function scaleKind(served: ServedResource): ServedResource {
  return { ...served, kind: SCALE, version: 'v1', custom: false, schema: schemaFor(SCALE) };
}

const segments = (path: string) => path.replace(/^\./, '').split('.');

function at(object: unknown, path: string): unknown {
  return segments(path).reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), object);
}

function put(object: KubeObject, path: string, value: unknown): void {
  const keys = segments(path);
  let parent = object as Record<string, unknown>;
  for (const key of keys.slice(0, -1)) {
    if (!isObject(parent[key])) parent[key] = {};
    parent = parent[key] as Record<string, unknown>;
  }
  parent[keys.at(-1) as string] = value;
}

function scaleOf(served: ServedResource, object: KubeObject): KubeObject {
  const paths = served.definition.scale;
  if (!paths) throw noSuchResource();
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = paths.selector ? at(object, paths.selector) : undefined;
  const replicas = Number(at(object, paths.specReplicas) ?? 0);
  const text = typeof selector === 'string' ? selector : selector ? selectorText(selector) : undefined;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      name,
      ...(namespace ? { namespace } : {}),
      ...(uid ? { uid } : {}),
      ...(resourceVersion ? { resourceVersion } : {}),
      ...(creationTimestamp ? { creationTimestamp } : {}),
    },
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: Number(at(object, paths.statusReplicas) ?? 0), ...(text ? { selector: text } : {}) },
  };
}

/** A LabelSelector, or the plain map that replication controllers have. */
function selectorText(selector: unknown): string {
  const isSelector = isObject(selector) && ('matchLabels' in selector || 'matchExpressions' in selector);
  const whole = (isSelector ? selector : { matchLabels: selector }) as Parameters<
    typeof formatLabelSelector
  >[0];
  const text = formatLabelSelector(whole);
  return text === '<none>' ? '' : text;
}

export async function getScale(
  environment: Environment,
  served: ServedResource,
  path: ResourcePath,
): Promise<KubeObject> {
  const stored = readOrThrow(environment, served.definition, path.namespace, path.name as string);
  await environment.served.ready(served, [stored]);
  return scaleOf(served, environment.served.toServed(served, stored));
}

export async function writeScale(
  environment: Environment,
  context: RequestContext,
  served: ServedResource,
  path: ResourcePath,
  body: RequestBody,
  type: PatchType | 'put',
): Promise<WriteResult> {
  const paths = served.definition.scale;
  if (!paths) throw noSuchResource();
  const kind = scaleKind(served);
  const name = path.name as string;
  const { object } = await updateObject(
    environment,
    context,
    served,
    { namespace: path.namespace, name, subresource: 'scale' },
    old => {
      const current = scaleOf(served, old);
      const next =
        type === 'put'
          ? decodeBody(kind, body, context)
          : fit(kind, applyPatch(kind, current, type === 'apply' ? 'merge' : type, body.value)).object;
      if (next.metadata.name && next.metadata.name !== name) {
        throw badRequest(
          `the name of the object (${next.metadata.name}) does not match the name on the URL (${name})`,
        );
      }
      const replicas = Number(next.spec?.replicas ?? 0);
      if (replicas < 0) {
        throw invalid(SCALE, name, [
          {
            field: 'spec.replicas',
            type: 'Invalid',
            message: `Invalid value: ${replicas}: must be greater than or equal to 0`,
          },
        ]);
      }
      const result = copyOf(old);
      put(result, paths.specReplicas, replicas);
      // Only a version the client sent pins the write; the patched view carries the current one.
      const { resourceVersion } = next.metadata;
      if (resourceVersion) result.metadata.resourceVersion = resourceVersion;
      else delete result.metadata.resourceVersion;
      return result;
    },
    { replaces: type === 'put' },
  );
  return { object: scaleOf(served, object), created: false };
}
