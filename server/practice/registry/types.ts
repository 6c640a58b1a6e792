// What the API server offers to whoever speaks for a user: the wire (rest) and the in-process client. Knows no transport,
// no media types and no tables; every method rejects with a StatusError that already carries upstream's words.

import type { GroupVersionKind, KubeObject, PatchType, Schema, Status } from '../../kube/index.ts';
import type { User } from '../admission/types.ts';
import type { ResourceDefinition } from '../resources/types.ts';

export type { User } from '../admission/types.ts';

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

/** Who asks, and how. One per request. */
export interface RequestContext {
  user: User;
  /** `?fieldManager=`, else the part of User-Agent before the first `/` (the wire computes that, at most 128 characters). */
  fieldManager?: string;
  /** True only when the query said `fieldManager=`: apply patches demand it. */
  fieldManagerGiven?: boolean;
  dryRun?: boolean;
  /** Default `Warn`, as upstream. */
  fieldValidation?: FieldValidation;
  /** Adds a `Warning: 299` header. */
  warn(text: string): void;
  signal?: AbortSignal;
}

/** A request's target. `resource` is the plural of the URL; `namespace` is absent for cluster scope and all-namespace lists. */
export interface ResourcePath {
  group: string;
  version: string;
  resource: string;
  namespace?: string;
  name?: string;
  subresource?: string;
}

/** A decoded body. What only a parser can see travels beside the value. */
export interface RequestBody {
  value: unknown;
  /** Paths that occurred twice in the text (`spec.replicas`), for strict decoding. */
  duplicateFields?: readonly string[];
}

export interface ListRequest {
  labelSelector?: string;
  fieldSelector?: string;
  limit?: number;
  continue?: string;
  resourceVersion?: string;
  resourceVersionMatch?: string;
}

export interface ListResult {
  apiVersion: string;
  /** `PodList`. */
  kind: string;
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  /** Whole objects, kind and apiVersion included (converted to the asked version); the wire strips them for typed lists. */
  items: KubeObject[];
}

export interface WatchRequest {
  labelSelector?: string;
  fieldSelector?: string;
  resourceVersion?: string;
  resourceVersionMatch?: string;
  allowWatchBookmarks?: boolean;
  sendInitialEvents?: boolean;
}

export type RegistryWatchEvent =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; object: KubeObject }
  | { type: 'ERROR'; object: Status };

export interface WatchSink {
  /** Called in order. Objects are shared: the same reference goes to every watcher, so a wire may cache its encoding by it. */
  event(event: RegistryWatchEvent): void;
  /** The stream is over (after an ERROR, or because the resource went away). Not called after `stop`. */
  end(): void;
}

export interface WriteResult {
  object: KubeObject;
  /** 201 rather than 200. */
  created: boolean;
}

/** `propagationPolicy`, `gracePeriodSeconds`, `preconditions`, `orphanDependents`, `dryRun` from body or query, merged by the wire. */
export interface DeleteRequest {
  gracePeriodSeconds?: number;
  propagationPolicy?: string;
  orphanDependents?: boolean;
  preconditions?: { uid?: string; resourceVersion?: string };
  ignoreStoreReadErrorWithClusterBreakingPotential?: boolean;
}

/**
 * What a DELETE answers: the object when it is still there (grace, finalizers) or when the kind answers with it,
 * else a Success Status with details {name, group, kind, uid}.
 */
export interface DeleteResult {
  object: KubeObject | Status;
  code: 200 | 202;
}

/** One resource in one served version, as discovery, tables and OpenAPI need it. */
export interface ServedResource {
  definition: ResourceDefinition;
  version: string;
  kind: GroupVersionKind;
  /** Kind of its list, `PodList` unless a CRD says otherwise. */
  listKind: string;
  schema: Schema | undefined;
  /** True for custom resources: no strategic merge, objects without a Go type. */
  custom: boolean;
}

/** What is asked of the authorizer: either a resource or a path. */
export type AccessAttributes =
  | { user: User; verb: string; path: string }
  | {
      user: User;
      verb: string;
      group: string;
      version?: string;
      resource: string;
      subresource?: string;
      namespace?: string;
      name?: string;
    };

export interface AccessDecision {
  allowed: boolean;
  /** Upstream's reason, e.g. `RBAC: allowed by ClusterRoleBinding "x" of ClusterRole "y" to User "z"`. */
  reason?: string;
}

export interface Authorizer {
  decide(attributes: AccessAttributes): AccessDecision;
}

export interface Registry {
  /** Every resource in every served version; built-in first, groups in upstream's order. */
  served(): readonly ServedResource[];
  /** By URL. */
  find(group: string, version: string, resource: string): ServedResource | undefined;
  findKind(group: string, version: string, kind: string): ServedResource | undefined;
  /** Called after CRDs or APIServices changed what is served: throw away discovery and OpenAPI caches of these groups. */
  onServedChange(listener: (groups: readonly string[]) => void): () => void;
  /** `Forbidden` in upstream's words comes from `forbiddenFor` in authorization/. The wire asks before it calls the rest. */
  readonly authorizer: Authorizer;
  /** The latest revision, as text. */
  readonly resourceVersion: string;

  get(
    context: RequestContext,
    path: ResourcePath,
    options?: { resourceVersion?: string },
  ): Promise<KubeObject>;
  list(context: RequestContext, path: ResourcePath, request: ListRequest): Promise<ListResult>;
  /** Rejects for bad selectors or versions; a version too old is an ERROR event, as upstream does over HTTP 200. */
  watch(
    context: RequestContext,
    path: ResourcePath,
    request: WatchRequest,
    sink: WatchSink,
  ): Promise<{ stop(): void }>;
  create(context: RequestContext, path: ResourcePath, body: RequestBody): Promise<WriteResult>;
  update(context: RequestContext, path: ResourcePath, body: RequestBody): Promise<WriteResult>;
  /** For apply patches `force` is the query's; JSON patches are the array as parsed. */
  patch(
    context: RequestContext,
    path: ResourcePath,
    type: PatchType,
    body: RequestBody,
    options?: { force?: boolean },
  ): Promise<WriteResult>;
  delete(context: RequestContext, path: ResourcePath, request: DeleteRequest): Promise<DeleteResult>;
  /** Answers the deleted items as a list. */
  deleteCollection(
    context: RequestContext,
    path: ResourcePath,
    request: DeleteRequest & ListRequest,
  ): Promise<ListResult>;
  /** Admission for CONNECT (exec, attach, portforward, proxy); gives the object that is connected to. */
  connect(context: RequestContext, path: ResourcePath): Promise<KubeObject>;
}
