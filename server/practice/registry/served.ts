// What is served: built-in kinds and custom ones, looked up by URL or by kind, with word to listeners when it changes.
// Knows neither requests nor the store.

import type { GroupVersionKind, KubeObject, Schema } from '../../kube/index.ts';
import { apiVersionOf, groupResource, parseApiVersion } from '../../kube/index.ts';
import type { ResourceDefinition } from '../resources/types.ts';
import type { ServedResource } from './types.ts';

/** Where and as what objects of a definition are stored. */
export interface Storage {
  /** `/pods/`, ending in a slash. */
  prefix: string;
  apiVersion: string;
  kind: string;
}

/** A custom resource: its definition plus what only a CRD can say. */
export interface CustomResource {
  definition: ResourceDefinition;
  listKind: string;
  /** Schema by served version. */
  schemas: ReadonlyMap<string, Schema | undefined>;
}

export class ServedSet {
  readonly #schemaFor: (gvk: GroupVersionKind) => Schema | undefined;
  readonly #builtIn: ServedResource[] = [];
  #custom: ServedResource[] = [];
  readonly #byUrl = new Map<string, ServedResource>();
  readonly #byKind = new Map<string, ServedResource>();
  /** By `resource.group`, any version. */
  readonly #byResource = new Map<string, ServedResource>();
  readonly #listeners = new Set<(groups: readonly string[]) => void>();
  readonly #converted = new WeakMap<KubeObject, Map<string, KubeObject>>();

  constructor(
    definitions: readonly ResourceDefinition[],
    schemaFor: (gvk: GroupVersionKind) => Schema | undefined,
  ) {
    this.#schemaFor = schemaFor;
    for (const definition of definitions) {
      for (const version of definition.versions) {
        const kind = { group: definition.group, version, kind: definition.kind };
        const schemaOf = this.#schemaFor;
        const served: ServedResource = {
          definition,
          version,
          kind,
          listKind: `${definition.kind}List`,
          // Looked up when first asked for: loading all schemas costs more than the rest of the boot.
          get schema() {
            return schemaOf(kind);
          },
          custom: false,
        };
        this.#builtIn.push(served);
        this.#index(served);
      }
    }
  }

  #index(served: ServedResource): void {
    const { group, resource } = served.definition;
    this.#byUrl.set(`${group}/${served.version}/${resource}`, served);
    this.#byKind.set(`${group}/${served.version}/${served.kind.kind}`, served);
    const name = groupResource({ group, resource });
    if (!this.#byResource.has(name)) this.#byResource.set(name, served);
  }

  /** Replaces all custom resources of `group`. */
  setCustom(group: string, resources: readonly CustomResource[]): void {
    for (const served of this.#custom) {
      if (served.definition.group !== group) continue;
      this.#byUrl.delete(`${group}/${served.version}/${served.definition.resource}`);
      this.#byKind.delete(`${group}/${served.version}/${served.kind.kind}`);
      this.#byResource.delete(groupResource(served.definition));
    }
    this.#custom = this.#custom.filter(served => served.definition.group !== group);
    for (const { definition, listKind, schemas } of resources) {
      for (const version of definition.versions) {
        const served: ServedResource = {
          definition,
          version,
          kind: { group, version, kind: definition.kind },
          listKind,
          schema: schemas.get(version),
          custom: true,
        };
        this.#custom.push(served);
        this.#index(served);
      }
    }
    for (const listener of this.#listeners) listener([group]);
  }

  all(): readonly ServedResource[] {
    return [...this.#builtIn, ...this.#custom];
  }

  find(group: string, version: string, resource: string): ServedResource | undefined {
    return this.#byUrl.get(`${group}/${version}/${resource}`);
  }

  findKind(group: string, version: string, kind: string): ServedResource | undefined {
    return this.#byKind.get(`${group}/${version}/${kind}`);
  }

  /** Some served version of a resource. */
  findResource(resource: { group: string; resource: string }): ServedResource | undefined {
    return this.#byResource.get(groupResource(resource));
  }

  onChange(listener: (groups: readonly string[]) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  storageOf(definition: ResourceDefinition): Storage {
    const owner = definition.storedAs
      ? (this.#byResource.get(definition.storedAs.replace(/^\//, ''))?.definition ?? definition)
      : definition;
    const version = owner.storageVersion ?? (owner.versions[0] as string);
    return {
      prefix: `/${groupResource(owner)}/`,
      apiVersion: apiVersionOf({ group: owner.group, version }),
      kind: owner.kind,
    };
  }

  /** The stored object as a served version shows it; the same reference for the same input. */
  toServed(served: ServedResource, stored: KubeObject): KubeObject {
    const wanted = apiVersionOf(served.kind);
    const convert = served.definition.fromStored;
    if (stored.apiVersion === wanted && stored.kind === served.kind.kind) return stored;
    let versions = this.#converted.get(stored);
    if (!versions) {
      versions = new Map();
      this.#converted.set(stored, versions);
    }
    let converted = versions.get(wanted);
    if (!converted) {
      converted = {
        ...(convert ? convert(stored, served.version) : stored),
        apiVersion: wanted,
        kind: served.kind.kind,
      };
      versions.set(wanted, converted);
    }
    return converted;
  }

  /** A served object in its stored form. Takes a private copy, gives a private copy. */
  toStored(served: ServedResource, object: KubeObject): KubeObject {
    const storage = this.storageOf(served.definition);
    if (object.apiVersion === storage.apiVersion && object.kind === storage.kind) return object;
    const convert = served.definition.toStored;
    return {
      ...(convert ? convert(object, served.version) : object),
      apiVersion: storage.apiVersion,
      kind: storage.kind,
    };
  }

  /** The schema of the stored form. */
  storedSchema(served: ServedResource): Schema | undefined {
    const storage = this.storageOf(served.definition);
    const { group, version } = parseApiVersion(storage.apiVersion);
    return (this.#byKind.get(`${group}/${version}/${storage.kind}`) ?? served).schema;
  }
}

/** `/pods/default/web`, `/nodes/minikube`. */
export function keyOf(storage: Storage, namespace: string | undefined, name: string): string {
  return namespace ? `${storage.prefix}${namespace}/${name}` : `${storage.prefix}${name}`;
}
