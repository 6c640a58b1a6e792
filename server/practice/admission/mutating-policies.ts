// MutatingAdmissionPolicy: CEL expressions that make an apply configuration or a JSON patch of the request's object. Nothing
// leaves the process.

import type { KubeObject, Schema } from '../../kube/index.ts';
import { StatusError } from '../../kube/index.ts';
import { jsonPatch, mergeConfiguration, patchRejected } from '../../kube/patch/index.ts';
import { jsonValue } from '../cel/index.ts';
import {
  conditionsHold,
  failed,
  type Invocation,
  invocationsOf,
  programOf,
  scopeOf,
} from './policy-source.ts';
import { refuse } from './requests.ts';
import type { AdmissionContext, AdmissionPlugin, AdmissionRequest } from './types.ts';

interface Mutation {
  patchType: 'ApplyConfiguration' | 'JSONPatch';
  applyConfiguration?: { expression: string };
  jsonPatch?: { expression: string };
}

type Plain = Record<string, unknown>;

export const mutatingPolicies: AdmissionPlugin = {
  name: 'MutatingAdmissionPolicy',
  mutate: (request, context) => run(request, context, () => true),
  mutateAgain: (request, context) =>
    run(request, context, invocation => {
      const after = request.invoked?.get(keyOf(invocation));
      return after !== undefined && after !== JSON.stringify(request.object);
    }),
};

function keyOf({ policy, binding, param }: Invocation): string {
  return ['policy', policy.metadata.uid, binding.metadata.uid, param?.metadata.uid].join(' ');
}

/** A promise, though nothing waits, says that the object changed and wants its defaults. */
function run(
  request: AdmissionRequest,
  context: AdmissionContext,
  isDue: (invocation: Invocation) => boolean,
): Promise<void> | undefined {
  const { object } = request;
  if (!object) return undefined;
  const { due, misfits } = invocationsOf('mutatingadmissionpolicies', request, context);
  if (due.length === 0 && misfits.length === 0) return undefined;
  const before = JSON.stringify(object);
  const failures = misfits.map(({ policy, binding, message }) => ({
    policy,
    message: says(policy, binding, message),
  }));
  for (const invocation of due) {
    if (!isDue(invocation)) continue;
    const { policy, binding } = invocation;
    const fail = (message: string) => failures.push({ policy, message: says(policy, binding, message) });
    const matched = conditionsHold(policy, scopeOf(invocation, request, context));
    if (typeof matched === 'string') fail(matched);
    if (matched !== true) continue;
    for (const mutation of policy.spec.mutations as Mutation[]) {
      try {
        replaceContents(object, mutated(mutation, invocation, request, object, context));
      } catch (error) {
        fail(error instanceof Error ? error.message : String(error));
      }
    }
    if (policy.spec.reinvocationPolicy === 'IfNeeded') {
      request.invoked ??= new Map();
      request.invoked.set(keyOf(invocation), JSON.stringify(object));
    }
  }
  const counted = failures.filter(({ policy }) => policy.spec.failurePolicy !== 'Ignore');
  if (counted.length > 0)
    throw refusal(
      request,
      counted.map(({ message }) => message),
    );
  return before === JSON.stringify(object) ? undefined : Promise.resolve();
}

function says(policy: KubeObject, binding: KubeObject | undefined, message: string): string {
  return binding
    ? `policy '${policy.metadata.name}' with binding '${binding.metadata.name}' denied request: ${message}`
    : `policy '${policy.metadata.name}' denied request: ${message}`;
}

function refusal(request: AdmissionRequest, messages: string[]): StatusError {
  const { status } = refuse(request, '');
  return new StatusError({
    ...status,
    message: messages[0] as string,
    reason: 'Invalid',
    details: { ...status.details, causes: messages.map(message => ({ reason: '', message })) },
  });
}

function replaceContents(object: KubeObject, next: KubeObject): void {
  if (next === object) return;
  for (const key of Object.keys(object)) delete object[key];
  Object.assign(object, next);
}

function mutated(
  mutation: Mutation,
  invocation: Invocation,
  request: AdmissionRequest,
  object: KubeObject,
  context: AdmissionContext,
): KubeObject {
  const isPatch = mutation.patchType === 'JSONPatch';
  const expression = (isPatch ? mutation.jsonPatch : mutation.applyConfiguration)?.expression ?? '';
  let result: unknown;
  try {
    result = jsonValue(programOf(expression, 'mutation')(scopeOf(invocation, request, context)));
  } catch (error) {
    // A literal in the wrong place is said as it is.
    if (error instanceof Error && error.message.startsWith('type mismatch:')) throw error;
    throw new Error(failed(expression, error));
  }
  return isPatch ? patched(object, result) : configured(object, result, request.schema);
}

function patched(object: KubeObject, operations: unknown): KubeObject {
  if (!Array.isArray(operations))
    throw new Error('type mismatch: JSONPatchType.expression should evaluate to array');
  try {
    return jsonPatch(object, operations);
  } catch (error) {
    // A test that fails means: not this object.
    if (operations.some(operation => (operation as Plain)?.op === 'test') && testFails(object, operations))
      return object;
    throw new Error(`JSONPath: ${error instanceof Error ? error.message : error}`);
  }
}

/** Whether the patch ends at one of its tests: everything before the first test that fails applies. */
function testFails(object: KubeObject, operations: unknown[]): boolean {
  for (const [i, operation] of operations.entries()) {
    try {
      jsonPatch(object, operations.slice(0, i + 1));
    } catch {
      return (operation as Plain).op === 'test';
    }
  }
  return false;
}

function configured(object: KubeObject, value: unknown, schema: Schema | undefined): KubeObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`unsupported return type from ApplyConfiguration expression: ${typeof value}`);
  if (!schema) throw patchRejected();
  const { apiVersion, kind } = object;
  const configuration = { ...(value as Plain), apiVersion, kind };
  const atomics = atomicsIn(configuration, schema);
  if (atomics.length > 0)
    throw new Error(
      `error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomics.join(', ')}`,
    );
  try {
    return mergeConfiguration(object, configuration, schema) as KubeObject;
  } catch (error) {
    throw new Error(`error applying patch: ${error instanceof Error ? error.message : error}`);
  }
}

/** Paths of what would be replaced as a whole, when only a part of it may have been meant. */
function atomicsIn(value: unknown, schema: Schema, path = ''): string[] {
  if (Array.isArray(value)) {
    if (schema.type !== 'array') return [];
    const own = schema.listType === 'map' || schema.listType === 'set' ? [] : [path];
    const { items } = schema;
    return [...own, ...(items ? value.flatMap((item, i) => atomicsIn(item, items, `${path}[${i}]`)) : [])];
  }
  if (typeof value !== 'object' || value === null || schema.type !== 'object') return [];
  const own = schema.mapType === 'atomic' ? [path] : [];
  const below = Object.entries(value).flatMap(([key, child]) => {
    const type = schema.properties?.[key] ?? schema.additionalProperties;
    return type ? atomicsIn(child, type, `${path}.${key}`) : [];
  });
  return [...own, ...below];
}
