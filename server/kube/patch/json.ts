// JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7386) with the API server's answers. Knows no schema.

import { applyPatch, type Operation } from 'rfc6902';
import { badRequest, StatusError } from '../status.ts';

/** Upstream's cap on one JSON patch. */
const MAX_OPERATIONS = 10_000;

/** 422 without causes: all that upstream tells about a patch that does not apply. */
export const patchRejected = () =>
  new StatusError({
    message: 'the server rejected our request due to an error in our request',
    reason: 'Invalid',
    details: {},
    code: 422,
  });

const VERBS = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test']);

/** The patched copy; `current` stays as it is. */
export function jsonPatch<T>(current: T, operations: unknown): T {
  if (!Array.isArray(operations)) {
    const what = operations === null || typeof operations !== 'object' ? typeof operations : 'object';
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${what} into Go value of type jsonpatch.Patch`,
    );
  }
  if (operations.length > MAX_OPERATIONS)
    throw new StatusError({
      message: `The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${operations.length}`,
      reason: 'RequestEntityTooLarge',
      details: {},
      code: 413,
    });
  for (const operation of operations) {
    if (typeof operation !== 'object' || operation === null || !VERBS.has(operation.op))
      throw patchRejected();
    if (typeof operation.path !== 'string') throw patchRejected();
  }
  const next = structuredClone(current);
  let problems: (Error | null)[];
  try {
    // The library puts the given values themselves into the object: a patch applied twice must not share them.
    problems = applyPatch(next, structuredClone(operations) as Operation[]);
  } catch {
    throw patchRejected();
  }
  if (problems.some(problem => problem !== null)) throw patchRejected();
  return next;
}

type Plain = Record<string, unknown>;
const isMap = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Sets an own property whatever its name, `__proto__` included. */
export function put(target: Plain, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
  else target[key] = value;
}

function merged(current: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return structuredClone(patch);
  const result: Plain = isMap(current) ? { ...current } : {};
  for (const key of Object.keys(patch)) {
    if (patch[key] === null) delete result[key];
    else put(result, key, merged(Object.hasOwn(result, key) ? result[key] : undefined, patch[key]));
  }
  return result;
}

/** The patched copy; untouched subtrees are shared with `current`. */
export function mergePatch<T>(current: T, patch: unknown): T {
  if (!isMap(patch))
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${Array.isArray(patch) ? 'array' : typeof patch} into Go value of type map[string]interface {}`,
    );
  return merged(current, patch) as T;
}
