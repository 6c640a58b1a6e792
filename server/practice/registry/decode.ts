// From a parsed body to an object of the asked kind, or upstream's 400. Knows schemas, not storage.

import type { KubeObject } from '../../kube/index.ts';
import { apiVersionOf, badRequest, parseApiVersion, StatusError } from '../../kube/index.ts';
import { decode, pruneUnknown, strictDecodingError } from '../schema/index.ts';
import type { RequestBody, RequestContext, ResourcePath, ServedResource } from './types.ts';
import { copyOf, isObject } from './values.ts';

/** A private copy of the body as the served kind holds it: types checked, unknown fields gone (or refused, or warned of). */
export function decodeBody(served: ServedResource, body: RequestBody, context: RequestContext): KubeObject {
  const value = checkKind(served, body.value);
  const { object, findings } = fit(served, value);
  const strict = [
    ...findings.map(path => `unknown field "${path}"`),
    ...(body.duplicateFields ?? []).map(path => `duplicate field "${path}"`),
  ];
  reportStrict(served, strict, context);
  return object;
}

/** Unknown and duplicate fields end a Strict request and warn in a Warn one. */
export function reportStrict(
  served: ServedResource,
  findings: readonly string[],
  context: RequestContext,
): void {
  if (findings.length === 0) return;
  const mode = context.fieldValidation ?? 'Warn';
  if (mode === 'Strict') {
    throw strictDecodingError({ kind: served.kind.kind, version: served.version }, findings);
  }
  if (mode === 'Warn') for (const finding of findings) context.warn(finding);
}

/** The value fitted to the schema, with the paths of unknown fields. Never shares with the input. */
export function fit(served: ServedResource, value: unknown): { object: KubeObject; findings: string[] } {
  const target = { kind: served.kind.kind, version: served.version };
  if (!served.schema) return { object: copyOf(value) as KubeObject, findings: [] };
  if (served.custom) {
    const object = copyOf(value) as KubeObject;
    checkCustomMetadata(served, object);
    return { object, findings: pruneUnknown(object, served.schema) };
  }
  const { value: object, unknown } = decode<KubeObject>(value, served.schema, target);
  object.metadata ??= { name: '' };
  return { object, findings: unknown };
}

/** Upstream decodes metadata of custom objects into Go's ObjectMeta: wrong types there are a 400, wrong types elsewhere a 422. */
function checkCustomMetadata(served: ServedResource, object: KubeObject): void {
  object.metadata ??= { name: '' };
  if (!isObject(object.metadata)) {
    throw badRequest(
      `${served.kind.kind} in version "${served.version}" cannot be handled as a ${served.kind.kind}: json: cannot unmarshal ${jsonType(object.metadata)} into Go struct field .metadata of type v1.ObjectMeta`,
    );
  }
}

function jsonType(value: unknown): string {
  return Array.isArray(value)
    ? 'array'
    : value === null
      ? 'null'
      : typeof value === 'boolean'
        ? 'bool'
        : typeof value;
}

function checkKind(served: ServedResource, value: unknown): unknown {
  const expected = apiVersionOf(served.kind);
  if (!isObject(value)) {
    throw badRequest(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${jsonType(value)} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    );
  }
  const { apiVersion, kind } = value;
  if (served.custom && !kind) {
    throw badRequest(`Object 'Kind' is missing in '${JSON.stringify(value).slice(0, 200)}'`);
  }
  if (apiVersion !== undefined && apiVersion !== '' && apiVersion !== expected) {
    throw badRequest(
      `the API version in the data (${String(apiVersion)}) does not match the expected API version (${expected})`,
    );
  }
  if (kind !== undefined && kind !== '' && kind !== served.kind.kind) {
    const { version } = parseApiVersion(expected);
    throw badRequest(
      `${String(kind)} in version "${version}" cannot be handled as a ${served.kind.kind}: converting (${version}.${String(kind)}) to (${served.kind.group || 'core'}.${served.kind.kind}): unknown conversion`,
    );
  }
  return { ...value, apiVersion: expected, kind: served.kind.kind };
}

/** The body's name and namespace must agree with the URL; what the body lacks the URL fills in. */
export function matchPath(served: ServedResource, object: KubeObject, path: ResourcePath): void {
  const { metadata } = object;
  if (served.definition.namespaced) {
    if (metadata.namespace && path.namespace !== undefined && metadata.namespace !== path.namespace) {
      throw badRequest(
        `the namespace of the provided object does not match the namespace sent on the request`,
      );
    }
    if (path.namespace !== undefined) metadata.namespace = path.namespace;
  } else if (metadata.namespace) {
    throw new StatusError({
      message: 'namespace may not be set on cluster-scoped objects',
      reason: 'BadRequest',
      code: 400,
    });
  } else delete metadata.namespace;
  if (path.name !== undefined) {
    if (metadata.name && metadata.name !== path.name) {
      throw badRequest(
        `the name of the object (${metadata.name}) does not match the name on the URL (${path.name})`,
      );
    }
    metadata.name = path.name;
  }
}
