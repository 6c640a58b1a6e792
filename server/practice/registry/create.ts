// How any object comes into being: system fields, defaults, owners of fields, admission, validation, storage.

import type { FieldError, KubeObject } from '../../kube/index.ts';
import { alreadyExists, apiVersionOf, invalid, notFound, StatusError, timestamp } from '../../kube/index.ts';
import type { AdmissionRequest } from '../admission/types.ts';
import { applyDefaults, tryDecode } from '../schema/index.ts';
import { StoreError } from '../store/index.ts';
import { mutate, validate } from './admit.ts';
import {
  type Environment,
  hookContext,
  plainError,
  randomText,
  readAny,
  storeKey,
  subjectOf,
} from './environment.ts';
import { resetFields, trackManagers } from './managed-fields.ts';
import { finalizerWarnings, validateMetadata } from './metadata.ts';
import type { RequestContext, ServedResource, WriteResult } from './types.ts';

/** Upstream's: 5 random characters after a prefix of at most 58. */
const GENERATED_LENGTH = 5;
const GENERATE_PREFIX_LENGTH = 58;
/** How often a generated name that is taken is drawn again. */
const GENERATE_ATTEMPTS = 8;

export interface CreateOptions {
  /** The owners are already in metadata.managedFields (server-side apply). */
  tracked?: boolean;
}

/** Creates `object` (a private copy in the served version, name and namespace agreed with the URL). */
export async function createObject(
  environment: Environment,
  context: RequestContext,
  served: ServedResource,
  object: KubeObject,
  options: CreateOptions = {},
): Promise<WriteResult> {
  const { definition } = served;
  const { metadata } = object;
  if (metadata.resourceVersion && metadata.resourceVersion !== '0') {
    throw plainError('resourceVersion should not be set on objects to be created');
  }
  delete metadata.resourceVersion;
  const hooks = hookContext(environment, context);
  const warnings = definition.warnings?.(object, served.version) ?? [];
  for (const text of warnings) context.warn(text);
  if (served.custom) for (const text of finalizerWarnings(object)) context.warn(text);

  const stored = environment.served.toWorking(served, object);
  const hasStatus = definition.subresources?.some(s => s.name === 'status') ?? false;
  const resetsStatus = hasStatus && !definition.keepsStatusOnCreate;
  if (resetsStatus) delete stored.status;
  const schema = environment.served.workingSchema(served);
  if (schema) applyDefaults(stored, schema);
  definition.defaults?.(stored, hooks);
  if (!options.tracked) {
    trackManagers(environment, context, undefined, stored, {
      schema,
      apiVersion: apiVersionOf(served.kind),
      reset: resetFields(served, undefined),
    });
  }

  // The server owns status: no writer is recorded for the zero value that every such object shows.
  const zero = resetsStatus && !served.custom ? schema?.properties?.status : undefined;
  if (zero) stored.status ??= tryDecode({}, zero).value;

  const request: AdmissionRequest = {
    operation: 'CREATE',
    definition,
    version: served.version,
    name: stored.metadata.name ?? '',
    user: context.user,
    dryRun: context.dryRun ?? false,
    object: stored,
    schema,
    ...(stored.metadata.namespace ? { namespace: stored.metadata.namespace } : {}),
    options: writeOptions('CreateOptions', context),
  };
  const changing = mutate(environment, context, request);
  if (changing) {
    await changing;
    // What a webhook added has no defaults yet.
    if (schema) applyDefaults(stored, schema);
    definition.defaults?.(stored, hooks);
  }

  fillSystemFields(environment, stored);
  const generated = !stored.metadata.name && Boolean(stored.metadata.generateName);
  if (generated) stored.metadata.name = generateName(environment, stored);
  if (definition.hasGeneration) stored.metadata.generation = 1;
  definition.prepareForCreate?.(stored, hooks);
  const findings: FieldError[] = [
    ...validateMetadata(stored, definition, served.custom),
    ...(definition.validate?.(stored, hooks) ?? []),
  ];
  if (findings.length > 0) throw invalid(served.kind, stored.metadata.name ?? '', findings);
  definition.canonicalize?.(stored);
  request.name = stored.metadata.name;
  const judging = validate(environment, context, request);
  if (judging) await judging;

  if (definition.namespaced && !namespaceExists(environment, stored)) {
    // Only reached when no admission plugin looked: the answer is the same.
    throw notFound({ group: '', resource: 'namespaces' }, stored.metadata.namespace ?? '');
  }
  for (let attempt = 1; ; attempt++) {
    const key = storeKey(environment, definition, stored.metadata.namespace, stored.metadata.name);
    if (context.dryRun) {
      if (environment.store.get(key)) throw alreadyExists(subjectOf(definition), stored.metadata.name);
      return { object: served.custom ? stored : environment.served.toServed(served, stored), created: true };
    }
    const converting = environment.served.fromWorking(served, stored);
    const converted = converting instanceof Promise ? await converting : converting;
    try {
      const written = environment.store.create(key, converted);
      await environment.served.ready(served, [written]);
      return { object: environment.served.toServed(served, written), created: true };
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'exists') throw error;
      if (!generated) throw alreadyExists(subjectOf(definition), stored.metadata.name);
      if (attempt === GENERATE_ATTEMPTS) throw cannotGenerate(definition, stored.metadata.name);
      stored.metadata.name = generateName(environment, stored);
    }
  }
}

function cannotGenerate(definition: ServedResource['definition'], name: string): StatusError {
  const taken = alreadyExists(subjectOf(definition), name).status;
  return new StatusError({
    ...taken,
    message: `${taken.message}, the server was not able to generate a unique name for the object`,
  });
}

function generateName(environment: Environment, object: KubeObject): string {
  const prefix = (object.metadata.generateName ?? '').slice(0, GENERATE_PREFIX_LENGTH);
  return prefix + randomText(environment, GENERATED_LENGTH);
}

function namespaceExists(environment: Environment, object: KubeObject): boolean {
  const namespace = object.metadata.namespace ?? '';
  return readAny(environment, { group: '', resource: 'namespaces' }, undefined, namespace) !== undefined;
}

function fillSystemFields(environment: Environment, object: KubeObject): void {
  const { metadata } = object;
  metadata.creationTimestamp = timestamp(environment.clock.now());
  metadata.uid = environment.random.uuid();
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.generation;
}

/** The options object that webhooks get to see. */
export function writeOptions(kind: string, context: RequestContext): Record<string, unknown> {
  return {
    kind,
    apiVersion: 'meta.k8s.io/v1',
    ...(context.dryRun ? { dryRun: ['All'] } : {}),
    ...(context.fieldManagerGiven && context.fieldManager ? { fieldManager: context.fieldManager } : {}),
    ...(context.fieldValidation ? { fieldValidation: context.fieldValidation } : {}),
  };
}
