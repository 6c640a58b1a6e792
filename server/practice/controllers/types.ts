// The one shape of a controller: it names what it watches, turns any change into keys, and makes one key right at a time.

import type { Clock } from '../../clock.ts';
import type { ApiClient, GroupVersionResource, KubeObject } from '../../kube/index.ts';
import type { Random } from '../../random.ts';

/** A live, read-only view of one resource, kept by a watch. Objects are shared and frozen. */
export interface Cache {
  get(namespace: string | undefined, name: string): KubeObject | undefined;
  list(namespace?: string): KubeObject[];
  /** Objects whose controlling owner has this uid, in no particular order. */
  owned(uid: string): KubeObject[];
}

export interface EventRecorder {
  /** Records a core/v1 Event about `object`; repeats are counted, as client-go's recorder does. */
  event(
    object: KubeObject,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    fieldPath?: string,
  ): void;
}

export interface ControllerContext {
  client: ApiClient;
  clock: Clock;
  random: Random;
  /** Only resources listed in `watches` (or `reads`). */
  cache(resource: GroupVersionResource): Cache;
  events: EventRecorder;
  /** Asks for another reconcile of `key` after `ms`; of several requests the earliest counts. */
  requeueAfter(key: string, ms: number): void;
  /** What this controller remembers in this cluster between reconciles. It is lost at a restart, so nothing may depend on it. */
  memory: Map<string, unknown>;
  /** PEM text of the cluster's root certificate. */
  rootCa: string;
  /** Makes a certificate for a PEM request, PEM again; absent where the cluster lends no key. `lifetime` in milliseconds. */
  sign?(request: SigningRequest): Promise<string>;
  /** What the expressions of a validating admission policy get wrong about the kinds it is for; absent where nobody can tell. */
  policyWarnings?(policy: KubeObject): { fieldRef: string; warning: string }[];
  /** Every resource there is now, custom ones included; events are not counted among them. */
  known(): readonly KnownResource[];
}

export interface SigningRequest {
  request: string;
  usages: ('server' | 'client')[];
  lifetime: number;
}

/** A resource that exists in the cluster now. */
export interface KnownResource {
  resource: GroupVersionResource;
  kind: string;
  namespaced: boolean;
}

export interface Change {
  of: KnownResource;
  object: KubeObject;
  /** Absent for a new object. */
  previous?: KubeObject;
  /** `object` is the last state of something that is gone. */
  deleted: boolean;
}

export interface Watch {
  resource: GroupVersionResource;
  /** The keys that a change of `object` makes worth looking at; default: the object's own `namespace/name`. A `deleted` object is given in its last state. */
  keys?(
    object: KubeObject,
    previous: KubeObject | undefined,
    context: ControllerContext,
    deleted: boolean,
  ): string[];
}

/** Level-based: a second reconcile of the same key with nothing changed writes nothing. A thrown error is retried with back-off. */
export interface Controller {
  name: string;
  /** The user it acts as, e.g. `system:serviceaccount:kube-system:deployment-controller`. */
  user?: string;
  /** Who its writes are attributed to, where that is not the program it is part of. */
  fieldManager?: string;
  /** `source.component` of its events, e.g. `deployment-controller`. */
  component?: string;
  watches: readonly Watch[];
  /** For the few that look at everything: keys for a change of any object of any resource, custom ones included. */
  everything?(change: Change, context: ControllerContext): string[];
  /** Resources it only reads through the cache. */
  reads?: readonly GroupVersionResource[];
  /** `key` is `namespace/name`, or `name` for cluster-scoped objects. */
  reconcile(key: string, context: ControllerContext): Promise<void>;
}
