// Loads the built schemas once a process: shapes on first use, descriptions only when OpenAPI asks. Knows no registry.

import { readFileSync } from 'node:fs';
import type { GroupVersionKind, Schema } from '../../kube/index.ts';
import {
  DESCRIPTIONS_FILE,
  SHAPES_FILE,
  type StoredDescriptions,
  type StoredSchema,
  type StoredShapes,
  schemaStamp,
  writeSchemas,
} from './build.ts';

interface Loaded {
  definitions: Map<string, Schema>;
  kinds: Record<string, string>;
}

let loaded: Loaded | undefined;
let descriptions: StoredDescriptions['definitions'] | undefined;

function readStamped<T extends { stamp: string }>(file: string, stamp: string): T | undefined {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as T;
    return value.stamp === stamp ? value : undefined;
  } catch {
    return undefined;
  }
}

function hydrate(stored: StoredShapes): Loaded {
  const definitions = new Map<string, Schema>();
  for (const [name, { properties, ...own }] of Object.entries(stored.definitions)) {
    definitions.set(name, { ...(own as Schema), name, ...(properties ? { properties: {} } : {}) });
  }
  const resolve = ({ $ref, properties, items, additionalProperties, ...own }: StoredSchema): Schema => {
    if ($ref) {
      const target = definitions.get($ref) as Schema;
      // A field that adds nothing of its own shares the definition's node; `properties` is shared in any case.
      return Object.keys(own).length === 0 ? target : { ...target, ...own };
    }
    return {
      ...own,
      ...(items ? { items: resolve(items) } : {}),
      ...(additionalProperties ? { additionalProperties: resolve(additionalProperties) } : {}),
    };
  };
  for (const [name, { properties }] of Object.entries(stored.definitions)) {
    const target = definitions.get(name)?.properties;
    if (!target || !properties) continue;
    for (const field of Object.keys(properties)) target[field] = resolve(properties[field] as StoredSchema);
  }
  return { definitions, kinds: stored.kinds };
}

function all(): Loaded {
  loaded ??= hydrate(readStamped<StoredShapes>(SHAPES_FILE, schemaStamp()) ?? writeSchemas().shapes);
  return loaded;
}

/** Schema of a built-in kind; undefined for what is not built in. */
export function schemaFor(gvk: GroupVersionKind): Schema | undefined {
  const { definitions, kinds } = all();
  const name = kinds[`${gvk.group}/${gvk.version}/${gvk.kind}`];
  return name === undefined ? undefined : definitions.get(name);
}

/** By full name, `io.k8s.api.core.v1.PodSpec`. */
export function definition(name: string): Schema | undefined {
  return all().definitions.get(name);
}

/** Full definition name of a built-in kind. */
export function definitionName(gvk: GroupVersionKind): string | undefined {
  return all().kinds[`${gvk.group}/${gvk.version}/${gvk.kind}`];
}

/** Names of all definitions. */
export function definitionNames(): string[] {
  return [...all().definitions.keys()];
}

/** Prose of a definition, or of one of its fields. A field whose type is another object has that type's prose only. */
export function descriptionOf(name: string, field = ''): string | undefined {
  descriptions ??= (
    readStamped<StoredDescriptions>(DESCRIPTIONS_FILE, schemaStamp()) ?? writeSchemas().descriptions
  ).definitions;
  return descriptions[name]?.[field];
}
