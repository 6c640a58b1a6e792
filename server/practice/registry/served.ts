// What is served: built-in kinds and custom ones, looked up by URL or by kind, with word to listeners when it changes.
// Knows neither requests nor the store.

import type { GroupVersionKind, KubeObject, Schema } from '../../kube/index.ts';
import { apiVersionOf, groupResource, parseApiVersion } from '../../kube/index.ts';
import type { ResourceDefinition } from '../resources/types.ts';
import { applyDefaults, pruneUnknown } from '../schema/index.ts';
import type { ServedResource } from './types.ts';
import { copyOf, sameValue } from './values.ts';

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
  /** Of the version that `definition` serves. */
  schema: Schema;
  versions: CustomVersions;
}

/** What a CRD says of its versions among each other. */
export interface CustomVersions {
  /** Of any version, served or not. */
  schemaOf(version: string): Schema | undefined;
  /** Asks a webhook; absent when versions differ in their name alone (strategy None). */
  convert?(objects: readonly KubeObject[], apiVersion: string): Promise<KubeObject[]>;
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
  /** Custom kinds: what clients see of a stored object. A changed CRD brings new served resources, and so new views. */
  readonly #views = new WeakMap<ServedResource, WeakMap<KubeObject, KubeObject>>();
  readonly #pending = new WeakMap<ServedResource, WeakMap<KubeObject, Promise<void>>>();
  readonly #versions = new WeakMap<ServedResource, CustomVersions>();

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
    for (const { definition, listKind, schema, versions } of resources) {
      for (const version of definition.versions) {
        const served: ServedResource = {
          definition,
          version,
          kind: { group, version, kind: definition.kind },
          listKind,
          schema,
          custom: true,
        };
        this.#versions.set(served, versions);
        this.#views.set(served, new WeakMap());
        this.#pending.set(served, new WeakMap());
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

  /**
   * The stored object as a served version shows it; the same reference for the same input. Custom kinds with a conversion
   * webhook must have been made `ready` before.
   */
  toServed(served: ServedResource, stored: KubeObject): KubeObject {
    if (served.custom) return this.#view(served, stored);
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

  #view(served: ServedResource, stored: KubeObject): KubeObject {
    const views = this.#views.get(served);
    const known = views?.get(stored);
    if (known) return known;
    const versions = this.#versions.get(served);
    if (!views || !versions) return stored;
    const apiVersion = apiVersionOf(served.kind);
    let view = settled(stored, versions.schemaOf(parseApiVersion(stored.apiVersion).version));
    if (stored.apiVersion !== apiVersion) {
      if (versions.convert)
        throw new Error(`${stored.metadata.name} has not been converted to ${apiVersion}`);
      view = pruned({ ...view, apiVersion }, served.schema);
    }
    views.set(stored, view);
    return view;
  }

  /** Converts stored objects ahead of `toServed`. Gives a promise only when a webhook has to be asked. */
  ready(served: ServedResource, stored: readonly (KubeObject | undefined)[]): Promise<void> | undefined {
    const versions = served.custom ? this.#versions.get(served) : undefined;
    const views = this.#views.get(served);
    const pending = this.#pending.get(served);
    if (!versions?.convert || !views || !pending) return undefined;
    const apiVersion = apiVersionOf(served.kind);
    const foreign = stored.filter(
      (object): object is KubeObject =>
        object !== undefined && object.apiVersion !== apiVersion && !views.has(object),
    );
    if (foreign.length === 0) return undefined;
    const asked = foreign.filter(object => !pending.has(object));
    if (asked.length > 0) {
      const answer = versions
        .convert(
          asked.map(object => settled(object, versions.schemaOf(parseApiVersion(object.apiVersion).version))),
          apiVersion,
        )
        .then(converted => {
          for (const [i, object] of asked.entries())
            views.set(object, pruned(converted[i] as KubeObject, served.schema));
        })
        .finally(() => {
          for (const object of asked) pending.delete(object);
        });
      for (const object of asked) pending.set(object, answer);
    }
    return Promise.all(foreign.map(object => pending.get(object))).then(() => {});
  }

  /** What a write is worked on as: custom kinds in the version of the request, others in the stored form. */
  toWorking(served: ServedResource, object: KubeObject): KubeObject {
    return served.custom ? object : this.toStored(served, object);
  }

  /** The schema of the working form. */
  workingSchema(served: ServedResource): Schema | undefined {
    return served.custom ? served.schema : this.storedSchema(served);
  }

  /** A working object in its stored form. Gives a promise only when a webhook has to be asked. */
  fromWorking(served: ServedResource, object: KubeObject): KubeObject | Promise<KubeObject> {
    if (!served.custom) return object;
    const { apiVersion } = this.storageOf(served.definition);
    if (object.apiVersion === apiVersion) return object;
    const versions = this.#versions.get(served);
    const schema = versions?.schemaOf(parseApiVersion(apiVersion).version);
    if (!versions?.convert) return pruned({ ...object, apiVersion }, schema);
    return versions
      .convert([object], apiVersion)
      .then(([converted]) => pruned(converted as KubeObject, schema));
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

/** Without the fields that the schema does not know; the object itself when there are none. */
function pruned(object: KubeObject, schema: Schema | undefined): KubeObject {
  if (!schema) return object;
  const copy = copyOf(object);
  return pruneUnknown(copy, schema).length > 0 ? copy : object;
}

/** As upstream reads custom objects: pruned and defaulted by a schema that may be younger than the object. */
function settled(object: KubeObject, schema: Schema | undefined): KubeObject {
  if (!schema) return object;
  const copy = copyOf(object);
  pruneUnknown(copy, schema);
  applyDefaults(copy, schema);
  return sameValue(copy, object) ? object : copy;
}

/** `/pods/default/web`, `/nodes/minikube`. */
export function keyOf(storage: Storage, namespace: string | undefined, name: string): string {
  return namespace ? `${storage.prefix}${namespace}/${name}` : `${storage.prefix}${name}`;
}
