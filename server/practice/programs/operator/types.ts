// What an operator is made of: the kinds it watches and what it does about one object of its own. Knows no operator.

import type {
  ApiClient,
  EventRecorder,
  GroupVersionResource,
  KubeObject,
  ObjectKey,
} from '../../../kube/index.ts';
import type { Container } from '../types.ts';

/** A kind an operator watches; `watched` makes one. */
export interface Watched extends GroupVersionResource {
  kind: string;
  /** As Go prints the type: `*v1.StatefulSet`. */
  type: string;
}

export interface Controller {
  /** What controller-runtime calls it: `notebook`. */
  name: string;
  /** Its own kind: the keys of its queue are objects of this kind. */
  for: Watched;
  /** Kinds of its children: a change to one is looked at as its controlling owner. */
  owns?: readonly Watched[];
  /** Other kinds, and whom of its own a change to one concerns. */
  watches?: readonly {
    kind: Watched;
    keys(object: KubeObject, operator: Operator): readonly ObjectKey[];
  }[];
  /**
   * Brings the world to what one object asks for; it may be gone. A rejection is said by the habits and tried again with
   * growing pauses; a number asks to be called again after so many milliseconds.
   */
  reconcile(key: ObjectKey, operator: Operator): Promise<number | undefined>;
}

/** What a reconcile works with. Reads come from copies that watches keep, writes are seen in them at once. */
export interface Operator {
  container: Container;
  /** Under the pod's own account. */
  api: ApiClient;
  events: EventRecorder;
  /** The copy of one object of a watched kind. */
  get(kind: Watched, key: ObjectKey): KubeObject | undefined;
  /** The copies of a watched kind, in all namespaces or one. */
  list(kind: Watched, namespace?: string): KubeObject[];
  /** Those of them that this object controls. */
  owned(kind: Watched, owner: KubeObject): KubeObject[];
  /** Has one object of a controller looked at again. */
  queue(controller: string, key: ObjectKey): void;
}

/** How a family of operators starts and what it says; `controllerRuntime` is the common one. */
export interface Habits {
  /** The pod has no token of an account. */
  noAccount?(): void;
  starting?(controller: Controller): void;
  started?(controller: Controller): void;
  /** Where given, a kind that is not served is not listed before it is; told at every look, 10 s apart. */
  kindMissing?(kind: Watched): void;
  /** Where given, a controller whose copies are not there after two minutes ends the program. */
  late?(controller: Controller, kind: Watched): void;
  failed(controller: Controller, key: ObjectKey, error: unknown): void;
}
