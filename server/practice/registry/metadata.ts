// The rules of metadata: names, labels, annotations, owners, finalizers, and what may not change. Same for every kind.

import type { FieldError, KubeObject, ObjectMeta } from '../../kube/index.ts';
import {
  dns1035LabelErrors,
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  forbiddenField,
  IMMUTABLE,
  invalidAll,
  invalidValue,
  labelValueErrors,
  pathSegmentErrors,
  qualifiedNameErrors,
  required,
  tooLongField,
} from '../../kube/index.ts';
import type { ResourceDefinition } from '../resources/types.ts';

/** Upstream's limit on all annotations of one object together, in bytes of keys and values. */
const ANNOTATIONS_LIMIT = 262_144;

const STANDARD_FINALIZERS = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

/** What is wrong with a name, in upstream's words; [] when nothing is. */
function nameErrors(name: string, rule: NonNullable<ResourceDefinition['nameRule']>): string[] {
  switch (rule) {
    case 'path-segment':
      return pathSegmentErrors(name);
    case 'dns1123-label':
      return dns1123LabelErrors(name);
    case 'dns1035-label':
      return dns1035LabelErrors(name);
    default:
      return dns1123SubdomainErrors(name);
  }
}

function validateLabels(labels: Record<string, string> | undefined, field: string): FieldError[] {
  return Object.entries(labels ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, value]) => [
      ...invalidAll(field, key, qualifiedNameErrors(key)),
      ...invalidAll(field, value, labelValueErrors(String(value))),
    ]);
}

function validateAnnotations(annotations: Record<string, string> | undefined, field: string): FieldError[] {
  const findings: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    findings.push(...invalidAll(field, key, qualifiedNameErrors(key.toLowerCase())));
    size += Buffer.byteLength(key) + Buffer.byteLength(String(value));
  }
  if (size > ANNOTATIONS_LIMIT) findings.push(tooLongField(field, ANNOTATIONS_LIMIT));
  return findings;
}

function validateOwners(metadata: ObjectMeta): FieldError[] {
  const findings: FieldError[] = [];
  const field = 'metadata.ownerReferences';
  let controller: string | undefined;
  for (const [index, owner] of (metadata.ownerReferences ?? []).entries()) {
    const at = `${field}[${index}]`;
    if (!owner.apiVersion)
      findings.push(invalidValue(`${at}.apiVersion`, owner.apiVersion ?? '', 'version must not be empty'));
    for (const part of ['kind', 'name', 'uid'] as const)
      if (!owner[part]) findings.push(invalidValue(`${at}.${part}`, owner[part] ?? '', 'must not be empty'));
    if (!owner.controller) continue;
    if (controller !== undefined) {
      const why = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${owner.name}`;
      findings.push(invalidValue(field, metadata.ownerReferences, why));
    }
    controller = owner.name;
  }
  return findings;
}

const isPlain = (finalizer: string) => !finalizer.includes('/') && !STANDARD_FINALIZERS.has(finalizer);

/** What is said of finalizers that a custom object has and had not before: any name will do, some are better. */
export function finalizerWarnings(next: KubeObject, old?: KubeObject): string[] {
  const before = new Set(old?.metadata.finalizers ?? []);
  return (next.metadata.finalizers ?? [])
    .filter(finalizer => !before.has(finalizer) && isPlain(finalizer))
    .map(
      finalizer =>
        `metadata.finalizers: "${finalizer}": prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers`,
    );
}

function validateFinalizers(metadata: ObjectMeta, custom: boolean): FieldError[] {
  const finalizers = metadata.finalizers ?? [];
  const findings = finalizers.flatMap((finalizer, index) => {
    const errors = qualifiedNameErrors(finalizer);
    if (errors.length === 0 && !custom && isPlain(finalizer))
      errors.push('name is neither a standard finalizer name nor is it fully qualified');
    return invalidAll(`metadata.finalizers[${index}]`, finalizer, errors);
  });
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    const why = 'finalizer orphan and foregroundDeletion cannot be both set';
    findings.push(invalidValue('metadata.finalizers', finalizers, why));
  }
  return findings;
}

/** Everything about metadata of an object that is to be created or replaced. */
export function validateMetadata(
  object: KubeObject,
  definition: ResourceDefinition,
  custom: boolean,
): FieldError[] {
  const { metadata } = object;
  const rule = definition.nameRule ?? 'dns1123-subdomain';
  const findings: FieldError[] = [];
  if (metadata.generateName) {
    const prefix = metadata.generateName.replace(/-$/, 'a');
    findings.push(...invalidAll('metadata.generateName', metadata.generateName, nameErrors(prefix, rule)));
  }
  if (!metadata.name) findings.push(required('metadata.name', 'name or generateName is required'));
  else findings.push(...invalidAll('metadata.name', metadata.name, nameErrors(metadata.name, rule)));
  if (definition.namespaced) {
    if (!metadata.namespace) findings.push(required('metadata.namespace'));
    else
      findings.push(
        ...invalidAll('metadata.namespace', metadata.namespace, dns1123LabelErrors(metadata.namespace)),
      );
  }
  findings.push(...validateLabels(metadata.labels, 'metadata.labels'));
  findings.push(...validateAnnotations(metadata.annotations, 'metadata.annotations'));
  findings.push(...validateOwners(metadata), ...validateFinalizers(metadata, custom));
  return findings;
}

const FIXED = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const;

/** What an update may not change. */
export function validateMetadataUpdate(next: KubeObject, old: KubeObject): FieldError[] {
  const findings: FieldError[] = [];
  for (const field of FIXED) {
    const value = next.metadata[field];
    if (value !== old.metadata[field])
      findings.push(invalidValue(`metadata.${field}`, value ?? null, IMMUTABLE));
  }
  if (old.metadata.deletionTimestamp) {
    const before = new Set(old.metadata.finalizers ?? []);
    const added = (next.metadata.finalizers ?? []).filter(finalizer => !before.has(finalizer));
    if (added.length > 0) {
      const names = added.map(finalizer => JSON.stringify(finalizer)).join(', ');
      const why = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${names}}`;
      findings.push(forbiddenField('metadata.finalizers', why));
    }
  }
  return findings;
}
