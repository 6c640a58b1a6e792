// From a CustomResourceDefinition to what the registry serves: one resource definition a version. Knows no storage.

import type { FieldError, KubeObject, Schema } from '../../../kube/index.ts';
import { StatusError } from '../../../kube/index.ts';
import { AGE, age, NAME, since } from '../../resources/index.ts';
import type {
  Cell,
  Column,
  ColumnContext,
  ResourceDefinition,
  SubresourceDefinition,
} from '../../resources/types.ts';
import type { CustomResource, CustomVersions } from '../served.ts';
import { type JsonPath, parseJsonPath } from './json-path.ts';
import { fromJsonSchema, type JsonSchema } from './json-schema.ts';
import { checkRules, hasRules } from './rules.ts';
import { validateCustom } from './validation.ts';

interface PrinterColumn {
  name: string;
  type: string;
  format?: string;
  description?: string;
  priority?: number;
  jsonPath: string;
}

/** A version as a CRD's spec lists it. */
export interface CrdVersion {
  name: string;
  served: boolean;
  storage: boolean;
  deprecated?: boolean;
  deprecationWarning?: string;
  schema?: { openAPIV3Schema?: JsonSchema };
  subresources?: {
    status?: object;
    scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string };
  };
  additionalPrinterColumns?: PrinterColumn[];
  selectableFields?: { jsonPath: string }[];
}

/** Findings after which upstream does not run the rules. */
const BLOCKING: ReadonlySet<FieldError['type']> = new Set([
  'NotSupported',
  'Required',
  'TooLong',
  'TooMany',
  'TypeInvalid',
]);

const NOT_CHECKED: FieldError = {
  field: '<nil>',
  type: 'Invalid',
  message:
    'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
};

/** Everything that `crd` serves, its versions in the order the CRD lists them. */
export function customResources(crd: KubeObject, convert?: CustomVersions['convert']): CustomResource[] {
  const listed: CrdVersion[] = crd.spec.versions;
  const schemas = new Map<string, Schema>();
  const schemaOf = (name: string): Schema | undefined => {
    const version = listed.find(candidate => candidate.name === name);
    if (!version || schemas.has(name)) return schemas.get(name);
    const keepsAll = crd.spec.preserveUnknownFields === true;
    schemas.set(name, fromJsonSchema(version.schema?.openAPIV3Schema, keepsAll));
    return schemas.get(name);
  };
  const versions: CustomVersions = { schemaOf, ...(convert ? { convert } : {}) };
  return listed
    .filter(version => version.served)
    .map(version => customResource(crd, version, schemaOf(version.name) as Schema, versions));
}

function customResource(
  crd: KubeObject,
  version: CrdVersion,
  schema: Schema,
  versions: CustomVersions,
): CustomResource {
  const { group, names, scope } = crd.spec;
  const kind = { group, version: version.name, kind: names.kind };
  const scale = version.subresources?.scale;
  const subresources: SubresourceDefinition[] = [];
  const readAndWrite = ['get', 'patch', 'update'] as const;
  if (version.subresources?.status) subresources.push({ name: 'status', kind, verbs: readAndWrite });
  if (scale) {
    subresources.push({
      name: 'scale',
      kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
      verbs: readAndWrite,
    });
  }
  const printer = printerOf(version);
  const definition: ResourceDefinition = {
    group,
    versions: [version.name],
    storageVersion: storageVersionOf(crd),
    kind: names.kind,
    resource: names.plural,
    singular: names.singular || names.kind.toLowerCase(),
    ...(names.shortNames?.length ? { shortNames: names.shortNames } : {}),
    ...(names.categories?.length ? { categories: names.categories } : {}),
    namespaced: scope === 'Namespaced',
    subresources,
    allowUnconditionalUpdate: false,
    hasGeneration: true,
    selectableFields: selectableFieldsOf(version),
    ...validationOf(schema),
    ...(version.deprecated ? { warnings: () => [deprecation(group, names.kind, version)] } : {}),
    prepareForCreate(_object, context) {
      const current = context.read(CRDS, undefined, crd.metadata.name);
      if (!current?.metadata.deletionTimestamp) return;
      throw new StatusError({
        message: 'create not allowed while custom resource definition is terminating',
        reason: 'MethodNotAllowed',
        details: { group, kind: names.plural },
        code: 405,
      });
    },
    columns: printer.columns,
    row: printer.row,
    ...(scale
      ? {
          scale: {
            specReplicas: scale.specReplicasPath,
            statusReplicas: scale.statusReplicasPath,
            ...(scale.labelSelectorPath ? { selector: scale.labelSelectorPath } : {}),
          },
        }
      : {}),
  };
  return {
    definition,
    listKind: names.listKind || `${names.kind}List`,
    schema,
    versions,
  };
}

const CRDS = { group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions' };

export function storageVersionOf(crd: KubeObject): string {
  const versions: CrdVersion[] = crd.spec.versions;
  return (versions.find(version => version.storage) ?? (versions[0] as CrdVersion)).name;
}

function deprecation(group: string, kind: string, version: CrdVersion): string {
  return version.deprecationWarning ?? `${group}/${version.name} ${kind} is deprecated`;
}

/** A create is judged whole; an update is forgiven what it leaves as it was (validation ratcheting). */
function validationOf(schema: Schema): Pick<ResourceDefinition, 'validate' | 'validateUpdate'> {
  const withRules = hasRules(schema);
  const findingsOf = (object: KubeObject, old?: KubeObject) => {
    const findings = validateCustom(object, schema, '', old);
    if (!withRules) return findings;
    if (findings.some(({ type }) => BLOCKING.has(type))) return [...findings, NOT_CHECKED];
    return [...findings, ...checkRules(object, old, schema)];
  };
  return {
    // Only what was never stored is new.
    validate: object => (object.metadata.resourceVersion === undefined ? findingsOf(object) : []),
    validateUpdate: (object, old) => findingsOf(object, old),
  };
}

function selectableFieldsOf(version: CrdVersion): NonNullable<ResourceDefinition['selectableFields']> {
  return Object.fromEntries(
    (version.selectableFields ?? []).map(({ jsonPath }) => {
      const read = parseJsonPath(jsonPath);
      const text = (object: KubeObject) => {
        const [value] = read(object);
        return value === undefined || value === null ? '' : String(value);
      };
      return [jsonPath.replace(/^\./, ''), text];
    }),
  );
}

function printerOf(version: CrdVersion): Pick<ResourceDefinition, 'columns' | 'row'> {
  const own = version.additionalPrinterColumns;
  if (!own?.length)
    return { columns: [NAME, AGE], row: (object, context) => [object.metadata.name, age(object, context)] };
  const readers = own.map(column => ({ column, read: pathOf(column.jsonPath) }));
  return {
    columns: [NAME, ...own.map(columnOf)],
    row: (object, context) => [
      object.metadata.name,
      ...readers.map(({ column, read }) => cellOf(column, read(object)[0], context)),
    ],
  };
}

/** A path that cannot be read shows nothing; upstream refuses it when the CRD comes. */
function pathOf(text: string): JsonPath {
  try {
    return parseJsonPath(text);
  } catch {
    return () => [];
  }
}

function columnOf(column: PrinterColumn): Column {
  const type = ['integer', 'number', 'boolean', 'date'].includes(column.type)
    ? (column.type as Column['type'])
    : 'string';
  return {
    name: column.name,
    type,
    ...(column.format ? { format: column.format } : {}),
    description:
      column.description || `Custom resource definition column (in JSONPath format): ${column.jsonPath}`,
    ...(column.priority ? { priority: 1 as const } : {}),
  };
}

function cellOf(column: PrinterColumn, value: unknown, context: ColumnContext): Cell {
  if (value === undefined || value === null) return null;
  switch (column.type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      return typeof value === 'string' && !Number.isNaN(Date.parse(value))
        ? since(value, context)
        : '<invalid>';
    default:
      return typeof value === 'object' ? JSON.stringify(value) : String(value);
  }
}
