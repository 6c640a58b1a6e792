// The one shape that every resource kind has: data and small pure functions. The registry does everything else.

import type { FieldError, GroupVersionKind, KubeObject } from '../../kube/index.ts';

export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch';

export const ALL_VERBS: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];

/** A column of `kubectl get`. `priority` 1 shows with -o wide only. */
export interface Column {
  name: string;
  type: 'string' | 'integer' | 'boolean' | 'date' | 'number';
  format?: string;
  description?: string;
  priority?: 0 | 1;
}

/** What a column computation may know besides the object. */
export interface ColumnContext {
  /** Milliseconds since the epoch. */
  now: number;
}

export type Cell = string | number | boolean | null;

/** Facts that hooks may ask for. `random` text uses Kubernetes' name alphabet. */
export interface HookContext {
  now: number;
  user: { name: string; groups: string[] };
  randomText(length: number): string;
  randomUuid(): string;
  /** Reads another object, undefined when absent: for allocation (service IPs, node ports) and references. */
  read(
    resource: { group: string; resource: string },
    namespace: string | undefined,
    name: string,
  ): KubeObject | undefined;
  listAll(resource: { group: string; resource: string }): KubeObject[];
  /** Adds a `Warning:` to the answer. */
  warn(text: string): void;
}

export interface SubresourceDefinition {
  /** `status`, `scale`, `eviction` … */
  name: string;
  kind: GroupVersionKind;
  verbs: readonly ('get' | 'patch' | 'update' | 'create' | 'delete')[];
  /** Listed in discovery with this group and version when they differ (eviction: policy/v1). */
}

/**
 * One resource in one group, possibly served in several versions (custom resources; autoscaling v1 and v2).
 * Objects given to hooks are private copies in the stored version: hooks change them in place. Hooks run in upstream's order:
 * create: schema defaults, `defaults`, mutating admission, `prepareForCreate`, `validate`, `canonicalize`, validating admission.
 * update: schema defaults, `defaults`, `prepareForUpdate`, mutating admission, `validate`, `validateUpdate`, `canonicalize`,
 * validating admission. The registry itself keeps status apart from spec when the kind has a status subresource.
 */
export interface ResourceDefinition {
  group: string;
  /** Served versions, preferred first. */
  versions: readonly string[];
  kind: string;
  /** Plural. */
  resource: string;
  singular: string;
  shortNames?: readonly string[];
  categories?: readonly string[];
  namespaced: boolean;
  verbs?: readonly Verb[];
  subresources?: readonly SubresourceDefinition[];
  /** Where it is stored when not its own `group/resource` (events.k8s.io events live with core events). */
  storedAs?: string;
  /** The version objects are stored in; default the first of `versions` (of the kind that `storedAs` names). */
  storageVersion?: string;
  /** From the stored form to a served version's and back, when they differ by more than apiVersion. New objects, never in place. */
  fromStored?(object: KubeObject, version: string): KubeObject;
  toStored?(object: KubeObject, version: string): KubeObject;
  /** True when a create keeps the status that the body brings (upstream: nodes). */
  keepsStatusOnCreate?: boolean;
  /** True when a DELETE answers with the object instead of a Status (upstream: pods, services, claims, service accounts …). */
  returnsDeleted?: boolean;
  /** True when PUT without resourceVersion is allowed (upstream: most kinds; false for CRDs, APIServices …). */
  allowUnconditionalUpdate?: boolean;
  /** True when a PUT to an absent name creates it (upstream: leases, events …). */
  allowCreateOnUpdate?: boolean;
  /** True when the kind has a spec whose change bumps metadata.generation. */
  hasGeneration?: boolean;
  /** True when deletion waits for a grace period (pods). */
  graceful?: boolean;
  /** Name rule: upstream's validator for metadata.name. Default dns1123-subdomain. */
  nameRule?: 'dns1123-subdomain' | 'dns1123-label' | 'dns1035-label' | 'path-segment';
  /** Fields usable in field selectors besides metadata.name and metadata.namespace; the label is upstream's. */
  selectableFields?: Record<string, (object: KubeObject) => string>;
  /** Defaults that the schema table cannot express (conditional ones). */
  defaults?(object: KubeObject, context: HookContext): void;
  prepareForCreate?(object: KubeObject, context: HookContext): void;
  prepareForUpdate?(object: KubeObject, old: KubeObject, context: HookContext): void;
  /** All findings, never the first only. Unknown fields and JSON types are checked before, by the schema. */
  validate?(object: KubeObject, context: HookContext): FieldError[];
  validateUpdate?(object: KubeObject, old: KubeObject, context: HookContext): FieldError[];
  canonicalize?(object: KubeObject): void;
  /** Text upstream adds as warnings (deprecated fields, versions). */
  warnings?(object: KubeObject, version: string): string[];
  columns: readonly Column[];
  /** The cells of one row, Name first, in the order of `columns`. */
  row(object: KubeObject, context: ColumnContext): Cell[];
  /** Order of the rows of a table when it is not the names' (upstream: flow schemas go by precedence). */
  tableOrder?(a: KubeObject, b: KubeObject): number;
  /** Conditions of a table row, e.g. Completed pods. */
  rowConditions?(object: KubeObject): { type: string; status: string; reason?: string; message?: string }[];
  /** `scale` subresource: where replicas and the selector live, dotted. */
  scale?: { specReplicas: string; statusReplicas: string; selector?: string };
}
