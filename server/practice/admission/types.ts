// One admission step: it may change the object, then it may refuse the request. The list in index.ts is the order.

import type { ApiClient, KubeObject, Schema } from '../../kube/index.ts';
import type { Question } from '../cel/index.ts';
import type { ResourceDefinition } from '../resources/types.ts';

export interface User {
  name: string;
  uid?: string;
  groups: string[];
  extra?: Record<string, string[]>;
}

export interface AdmissionRequest {
  operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  definition: ResourceDefinition;
  version: string;
  subresource?: string;
  namespace?: string;
  name: string;
  user: User;
  dryRun: boolean;
  /** A private copy; `mutate` changes it in place. Absent on DELETE. */
  object?: KubeObject;
  old?: KubeObject;
  options?: Record<string, unknown>;
  /** Of `object`. */
  schema?: Schema | undefined;
  /** What steps that want a second look left behind: by step, the object as they saw it last. */
  invoked?: Map<string, string>;
}

export interface AdmissionContext {
  now(): number;
  randomText(length: number): string;
  /** Reads the store directly (frozen objects), undefined when absent. */
  read(
    resource: { group: string; resource: string },
    namespace: string | undefined,
    name: string,
  ): KubeObject | undefined;
  /** The resource that serves a kind, undefined when none does. */
  resourceOf?(kind: {
    group: string;
    kind: string;
  }): { group: string; resource: string; namespaced: boolean } | undefined;
  /** May `user` do this? */
  authorize?(user: User, question: Omit<Question, 'serviceAccount'>): { allowed: boolean; reason?: string };
  listAll(resource: { group: string; resource: string }, namespace?: string): KubeObject[];
  /** For plugins that must write (quota usage). Runs as system:apiserver. */
  client: ApiClient;
  warn(text: string): void;
}

/** Throws a StatusError to refuse. */
export interface AdmissionPlugin {
  name: string;
  mutate?(request: AdmissionRequest, context: AdmissionContext): void | Promise<void>;
  /** Once more, after every other step had its turn, when `request.invoked` says that somebody wants it. */
  mutateAgain?(request: AdmissionRequest, context: AdmissionContext): void | Promise<void>;
  validate?(request: AdmissionRequest, context: AdmissionContext): void | Promise<void>;
}
