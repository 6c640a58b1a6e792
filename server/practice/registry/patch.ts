// The four kinds of patch, each as a change of the old object. The arithmetic of patching is in kube/patch.

import type { KubeObject, PatchType } from '../../kube/index.ts';
import { apiVersionOf, badRequest, invalid, notFound, StatusError, timestamp } from '../../kube/index.ts';
import { jsonPatch, mergePatch, serverSideApply, strategicMergePatch } from '../../kube/patch/index.ts';
import { checkPatched } from '../schema/index.ts';
import { createObject } from './create.ts';
import { fit, matchPath, reportStrict } from './decode.ts';
import { type Environment, storeKey, subjectOf } from './environment.ts';
import { resetFields } from './managed-fields.ts';
import type { RequestBody, RequestContext, ResourcePath, ServedResource, WriteResult } from './types.ts';
import { type UpdateOptions, updateObject } from './update.ts';
import { copyOf, isObject } from './values.ts';

export interface PatchOptions {
  force?: boolean | undefined;
}

const MEDIA = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

/** Refuses what the kind cannot take, before anything is read. */
function checkPatchType(served: ServedResource, type: PatchType): void {
  if (type !== 'strategic' || !served.custom) return;
  const accepted = [MEDIA.json, MEDIA.merge, MEDIA.apply].join(', ');
  throw new StatusError({
    message: `the body of the request was in an unknown format - accepted media types include: ${accepted}`,
    reason: 'UnsupportedMediaType',
    details: {},
    code: 415,
  });
}

/** The patched form of `old`, unfitted. */
export function applyPatch(
  served: ServedResource,
  old: KubeObject,
  type: PatchType,
  patch: unknown,
): unknown {
  switch (type) {
    case 'json':
      return jsonPatch(old, patch);
    case 'merge':
      if (!isObject(patch))
        throw badRequest(
          'error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}',
        );
      return mergePatch(old, patch);
    default:
      if (!served.schema) throw badRequest('strategic merge patch is not supported for this kind');
      if (!isObject(patch))
        throw badRequest(
          'error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}',
        );
      return strategicMergePatch(old, patch, served.schema);
  }
}

export async function patchObject(
  environment: Environment,
  context: RequestContext,
  served: ServedResource,
  path: ResourcePath,
  type: PatchType,
  body: RequestBody,
  options: PatchOptions,
  update: UpdateOptions = {},
): Promise<WriteResult> {
  checkPatchType(served, type);
  if (type === 'apply') return applyObject(environment, context, served, path, body, options, update);
  let reported = false;
  return updateObject(
    environment,
    context,
    served,
    { namespace: path.namespace, name: path.name as string, subresource: path.subresource },
    old => {
      const patched = applyPatch(served, old, type, body.value);
      if (served.schema && !served.custom) checkPatched(patched, served.schema, { type, patch: body.value });
      const { object, findings } = fit(served, patched);
      if (!reported) {
        reported = true;
        reportStrict(
          served,
          [
            ...findings.map(field => `unknown field "${field}"`),
            ...(body.duplicateFields ?? []).map(field => `duplicate field "${field}"`),
          ],
          context,
        );
      }
      checkSameIdentity(served, object, old);
      return object;
    },
    update,
  );
}

function checkSameIdentity(served: ServedResource, next: KubeObject, old: KubeObject): void {
  if (next.apiVersion !== old.apiVersion || next.kind !== old.kind) {
    throw badRequest(
      `${next.kind} in version "${served.version}" cannot be handled as a ${served.kind.kind}: the patch changes apiVersion or kind`,
    );
  }
}

async function applyObject(
  environment: Environment,
  context: RequestContext,
  served: ServedResource,
  path: ResourcePath,
  body: RequestBody,
  options: PatchOptions,
  update: UpdateOptions,
): Promise<WriteResult> {
  if (!context.fieldManagerGiven || !context.fieldManager) {
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
      { field: 'fieldManager', type: 'Required', message: 'Required value: is required for apply patch' },
    ]);
  }
  const applied = checkApplied(served, path, body, context);
  const manager = {
    manager: context.fieldManager,
    apiVersion: apiVersionOf(served.kind),
    time: timestamp(environment.clock.now()),
    force: options.force ?? false,
    reset: resetFields(served, path.subresource),
    ...(path.subresource ? { subresource: path.subresource } : {}),
  };
  const schema = served.schema;
  if (!schema) throw badRequest('server-side apply needs a schema');
  const name = path.name as string;
  const exists = environment.store.get(storeKey(environment, served.definition, path.namespace, name));
  if (!exists) {
    if (path.subresource) throw notFound(subjectOf(served.definition), name);
    if (applied.metadata.uid) {
      throw new StatusError({
        message: `uid mismatch: the provided object specified uid ${applied.metadata.uid}, and no existing object was found`,
        reason: 'Conflict',
        code: 409,
      });
    }
    const merged = serverSideApply({ live: undefined, applied, schema, ...manager });
    return createObject(environment, context, served, fit(served, merged).object, { tracked: true });
  }
  return updateObject(
    environment,
    context,
    served,
    { namespace: path.namespace, name, subresource: path.subresource },
    old => fit(served, serverSideApply({ live: old, applied, schema, ...manager })).object,
    { ...update, tracked: true },
  );
}

function checkApplied(
  served: ServedResource,
  path: ResourcePath,
  body: RequestBody,
  context: RequestContext,
): KubeObject {
  const { value } = body;
  if (!isObject(value)) throw badRequest('error decoding YAML: expected an object');
  if (value.apiVersion === undefined || value.kind === undefined) {
    throw badRequest(`Object 'Kind' is missing in '${JSON.stringify(value).slice(0, 200)}'`);
  }
  if (value.apiVersion !== apiVersionOf(served.kind) || value.kind !== served.kind.kind) {
    throw badRequest(
      `failed to create typed patch object (${path.namespace ?? ''}/${path.name ?? ''}; ${String(value.apiVersion)}, Kind=${String(value.kind)}): the kind of the patch does not match the request`,
    );
  }
  if (isObject(value.metadata) && (value.metadata.managedFields as unknown[] | undefined)?.length) {
    throw badRequest('metadata.managedFields must be nil');
  }
  const object = copyOf(value) as unknown as KubeObject;
  if (!isObject(object.metadata)) throw badRequest('metadata: expected an object');
  reportStrict(
    served,
    (body.duplicateFields ?? []).map(field => `duplicate field "${field}"`),
    context,
  );
  matchPath(served, object, path);
  return object;
}
