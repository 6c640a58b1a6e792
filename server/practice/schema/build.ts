// Builds the schemas of all built-in kinds from @kubernetes/client-node's models and facts.json, as two compact JSON files
// in .cache/practice. Knows how the client library writes its models; knows nothing of who reads the result.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Schema } from '../../kube/index.ts';

/** A schema as it lies in the file: other definitions by name. */
export interface StoredSchema extends Omit<Schema, 'properties' | 'items' | 'additionalProperties'> {
  $ref?: string;
  properties?: Record<string, StoredSchema>;
  items?: StoredSchema;
  additionalProperties?: StoredSchema;
}

export interface StoredShapes {
  stamp: string;
  definitions: Record<string, StoredSchema>;
  /** `group/version/Kind` to definition name. */
  kinds: Record<string, string>;
}

export interface StoredDescriptions {
  stamp: string;
  /** By definition; '' is the definition itself, the rest its fields. */
  definitions: Record<string, Record<string, string>>;
}

/** What npm lacks about one field. */
interface FieldFacts extends Partial<Schema> {
  /** The definition that the client library's model has lost. */
  ref?: string;
  bareRef?: boolean;
  /** Values that the items of a list, or the values of a map, may have. */
  itemEnum?: string[];
}

interface TypeFacts {
  /** Name of the client library's class when it is not version + type; null when there is none. */
  model?: string | null;
  kind?: boolean;
  mapType?: 'atomic';
  unions?: unknown;
  /** Required fields in Go's order, where that is not the alphabet's. */
  required?: string[];
  zeroDefault?: string[];
  always?: string[];
  keepsZero?: string[];
  fields?: Record<string, FieldFacts>;
}

type Facts = Record<string, { group?: string; version?: string; types: Record<string, TypeFacts> }>;

/** Bump when the files' layout changes. */
const FORMAT = 3;
const CACHE = fileURLToPath(new URL('../../../.cache/practice/', import.meta.url));
const FACTS = new URL('./facts.json', import.meta.url);
export const SHAPES_FILE = join(CACHE, 'schema-shapes.json');
export const DESCRIPTIONS_FILE = join(CACHE, 'schema-descriptions.json');

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const APIEXTENSIONS = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1';

/** Definitions that have no model class. */
const WITHOUT_MODEL: Record<string, StoredSchema> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': { type: 'string', format: 'quantity' },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { format: 'int-or-string' },
  'io.k8s.apimachinery.pkg.runtime.RawExtension': { type: 'object', preserveUnknown: true },
  [`${META}.FieldsV1`]: { type: 'object', preserveUnknown: true },
  [`${META}.Patch`]: { type: 'object', preserveUnknown: true },
  [`${META}.Time`]: { type: 'string', format: 'date-time' },
  [`${META}.MicroTime`]: { type: 'string', format: 'micro-time' },
  [`${APIEXTENSIONS}.JSON`]: { preserveUnknown: true },
  [`${APIEXTENSIONS}.JSONSchemaPropsOrArray`]: { preserveUnknown: true },
  [`${APIEXTENSIONS}.JSONSchemaPropsOrBool`]: { preserveUnknown: true },
  [`${APIEXTENSIONS}.JSONSchemaPropsOrStringArray`]: { preserveUnknown: true },
  [`${APIEXTENSIONS}.CustomResourceSubresourceStatus`]: { type: 'object', preserveUnknown: true },
};

function clientNodeFolder(): string {
  return dirname(dirname(createRequire(import.meta.url).resolve('@kubernetes/client-node')));
}

/** Changes whenever the files would: client library version, facts, layout. */
export function schemaStamp(): string {
  const version = JSON.parse(readFileSync(join(clientNodeFolder(), 'package.json'), 'utf8'))
    .version as string;
  const facts = createHash('sha256').update(readFileSync(FACTS)).digest('hex').slice(0, 12);
  return `${FORMAT}-${version}-${facts}`;
}

const modelName = (packageName: string, type: string): string =>
  `V${packageName.slice(packageName.lastIndexOf('.') + 2)}${type}`;

interface Model {
  attributes: { baseName: string; type: string; format: string }[];
  required: string[];
  descriptions: Record<string, string>;
}

const unescapeDoc = (text: string) =>
  text
    .replaceAll(/\\(['"])/g, '$1')
    .replaceAll('*\\/', '*/')
    .trim();

function readModel(folder: string, name: string): Model {
  const code = readFileSync(join(folder, `${name}.js`), 'utf8');
  const map = /attributeTypeMap = (\[[\s\S]*?\n\]|\[\]);/.exec(code);
  const typing = readFileSync(join(folder, `${name}.d.ts`), 'utf8');
  const required: string[] = [];
  const descriptions: Record<string, string> = {};
  const own = /\/\*\*\n\* ([\s\S]*?)\n?\*\/\nexport declare class/.exec(
    typing.slice(typing.indexOf('*/') + 2),
  );
  if (own?.[1]) descriptions[''] = unescapeDoc(own[1]);
  for (const match of typing.matchAll(/(?:\/\*\*\n\s+\* ([\s\S]*?)\n\s+\*\/\n)?\s+'([^'\n]+)'(\?)?: /g)) {
    const [, description, field, optional] = match;
    if (field === undefined) continue;
    if (description) descriptions[field] = unescapeDoc(description);
    if (!optional) required.push(field);
  }
  return { attributes: map?.[1] ? JSON.parse(map[1]) : [], required, descriptions };
}

function fieldSchema(
  type: string,
  format: string,
  facts: FieldFacts,
  definitionOf: (model: string) => string,
): StoredSchema {
  const list = /^(?:Array|Set)<(.*)>$/.exec(type);
  if (list?.[1]) return { type: 'array', items: fieldSchema(list[1], format, facts, definitionOf) };
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type);
  if (map?.[1])
    return { type: 'object', additionalProperties: fieldSchema(map[1], format, facts, definitionOf) };
  if (facts.ref) return { $ref: facts.ref };
  if (facts.format === 'quantity') return { $ref: 'io.k8s.apimachinery.pkg.api.resource.Quantity' };
  switch (type) {
    case 'string':
      return { type: 'string', ...(format ? { format } : {}) };
    case 'boolean':
      return { type: 'boolean' };
    case 'number':
      return format === 'double'
        ? { type: 'number', format }
        : { type: 'integer', ...(format ? { format } : {}) };
    case 'Date':
      return { $ref: `${META}.Time` };
    case 'V1MicroTime':
      return { $ref: `${META}.MicroTime` };
    case 'IntOrString':
      return { $ref: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString' };
    case 'any':
    case 'object':
      return { type: 'object', preserveUnknown: true };
    default:
      return { $ref: definitionOf(type) };
  }
}

/** Reads all models; about a second. */
export function buildSchemas(): { shapes: StoredShapes; descriptions: StoredDescriptions } {
  const facts = JSON.parse(readFileSync(FACTS, 'utf8')) as Facts;
  const folder = join(clientNodeFolder(), 'dist/gen/models');
  const stamp = schemaStamp();
  const shapes: StoredShapes = { stamp, definitions: {}, kinds: {} };
  const descriptions: StoredDescriptions = { stamp, definitions: {} };
  const byModel = new Map<string, string>();
  for (const [packageName, { types }] of Object.entries(facts)) {
    for (const [type, known] of Object.entries(types)) {
      if (known.model !== null)
        byModel.set(known.model ?? modelName(packageName, type), `${packageName}.${type}`);
    }
  }
  const definitionOf = (model: string) => {
    const name = byModel.get(model);
    if (!name)
      throw new Error(`The client library's model ${model} is in no package of facts.json: add it there.`);
    return name;
  };
  for (const [packageName, { group, version, types }] of Object.entries(facts)) {
    for (const [type, known] of Object.entries(types)) {
      const name = `${packageName}.${type}`;
      if (known.kind && version !== undefined) shapes.kinds[`${group}/${version}/${type}`] = name;
      if (known.model === null) {
        shapes.definitions[name] = WITHOUT_MODEL[name] ?? { type: 'object' };
        continue;
      }
      const model = readModel(folder, known.model ?? modelName(packageName, type));
      descriptions.definitions[name] = model.descriptions;
      const properties: Record<string, StoredSchema> = {};
      for (const { baseName, type: fieldType, format } of model.attributes) {
        const { ref, bareRef, itemEnum, format: factFormat, ...more } = known.fields?.[baseName] ?? {};
        const field = {
          ...fieldSchema(fieldType, format, { ref, format: factFormat }, definitionOf),
          ...more,
        };
        const inner = field.items ?? field.additionalProperties;
        if (inner && itemEnum) inner.enum = itemEnum;
        properties[baseName] = field;
      }
      const { zeroDefault, always, keepsZero, mapType, unions } = known;
      shapes.definitions[name] = {
        type: 'object',
        ...(model.attributes.length > 0 ? { properties } : {}),
        ...(model.required.length > 0 ? { required: known.required ?? model.required.sort() } : {}),
        ...(mapType ? { mapType } : {}),
        ...(zeroDefault || always || keepsZero || unions
          ? {
              go: {
                ...(zeroDefault ? { zeroDefault } : {}),
                ...(always ? { always } : {}),
                ...(keepsZero ? { keepsZero } : {}),
                ...(unions ? { unions } : {}),
              },
            }
          : {}),
      };
    }
  }
  return { shapes, descriptions };
}

function writeWhole(file: string, value: unknown): void {
  mkdirSync(dirname(file), { recursive: true });
  // Written beside and renamed: another process that starts now must never read half a file.
  const draft = `${file}.${process.pid}.${Math.trunc(performance.now() * 1000)}`;
  writeFileSync(draft, JSON.stringify(value));
  renameSync(draft, file);
}

/** Writes both files; returns what it wrote. */
export function writeSchemas(): { shapes: StoredShapes; descriptions: StoredDescriptions } {
  const built = buildSchemas();
  writeWhole(SHAPES_FILE, built.shapes);
  writeWhole(DESCRIPTIONS_FILE, built.descriptions);
  return built;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) writeSchemas();
