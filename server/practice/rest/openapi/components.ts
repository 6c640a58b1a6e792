// The schemas of one OpenAPI document: turns our one schema shape into OpenAPI v3 and collects what is referred to.

import { type GroupVersionKind, LIMITS, type Schema } from '../../../kube/index.ts';
import { definition, descriptionOf } from '../../schema/index.ts';

type Node = Record<string, unknown>;

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
const INT_OR_STRING = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';

/** Definitions whose OpenAPI form is not that of their fields. */
const SPECIAL: Record<string, Node> = {
  [QUANTITY]: { oneOf: [{ type: 'string' }, { type: 'number' }] },
  [INT_OR_STRING]: { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
};

export class Components {
  readonly #schemas = new Map<string, Node>();

  /** In the order of names. */
  schemas(): Record<string, Node> {
    return Object.fromEntries([...this.#schemas].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** A reference to a built-in kind of this document. */
  builtIn(name: string, gvk?: GroupVersionKind): Node {
    this.#add(name);
    const node = this.#schemas.get(name);
    if (node && gvk) addKind(node, gvk);
    return reference(name);
  }

  /** A reference to one of the shared meta types. */
  meta(name: string, gvk?: GroupVersionKind): Node {
    return this.builtIn(name, gvk);
  }

  custom(name: string, gvk: GroupVersionKind, schema: Schema): Node {
    const node = this.#convert(schema, '', '');
    const properties = (node.properties ?? {}) as Record<string, Node>;
    node.properties = { ...properties, ...this.#typeFields(`${META}.ObjectMeta`, properties.metadata) };
    addKind(node, gvk);
    this.#schemas.set(name, node);
    return reference(name);
  }

  customList(name: string, gvk: GroupVersionKind, item: string): Node {
    const node: Node = {
      description: `${gvk.kind} is a list of ${item.split('.').at(-1)}`,
      type: 'object',
      required: ['items'],
      properties: {
        ...this.#typeFields(`${META}.ListMeta`),
        items: {
          description: `List of ${gvk.kind.replace(/List$/, '').toLowerCase()}s.`,
          type: 'array',
          items: reference(item),
        },
      },
    };
    addKind(node, gvk);
    this.#schemas.set(name, node);
    return reference(name);
  }

  #typeFields(metadata: string, own?: Node): Record<string, Node> {
    this.#add(metadata);
    const prose = (field: string) => descriptionOf('io.k8s.api.core.v1.ConfigMap', field) ?? '';
    return {
      apiVersion: { description: prose('apiVersion'), type: 'string' },
      kind: { description: prose('kind'), type: 'string' },
      metadata: {
        description: (own?.description as string | undefined) ?? descriptionOf(metadata) ?? '',
        allOf: [reference(metadata)],
      },
    };
  }

  #add(name: string): void {
    if (this.#schemas.has(name)) return;
    const schema = definition(name);
    // A kind without a model of its own still has to be somewhere: as an object of which nothing is said.
    const node: Node = {};
    this.#schemas.set(name, node);
    const description = descriptionOf(name);
    if (description) node.description = description;
    Object.assign(node, SPECIAL[name] ?? (schema ? this.#convert(schema, name, '') : { type: 'object' }));
  }

  /**
   * `owner` and `field` say where descriptions are found; `field` is '' at the top of a definition.
   * Named schemas below the top become references.
   */
  #convert(schema: Schema, owner: string, field: string): Node {
    const node: Node = {};
    const description = schema.description ?? (owner && field ? descriptionOf(owner, field) : undefined);
    if (description) node.description = description;
    if (schema.name !== undefined && (schema.name !== owner || field !== '')) {
      // A field says what its type says when npm has lost the field's own words.
      node.description ??= descriptionOf(schema.name) ?? '';
      return this.#reference(schema, node);
    }

    if (schema.type) node.type = schema.type;
    if (schema.format === 'int-or-string') {
      if (owner) Object.assign(node, SPECIAL[INT_OR_STRING]);
      else {
        node['x-kubernetes-int-or-string'] = true;
        delete node.type;
      }
    } else if (schema.format === 'quantity') Object.assign(node, SPECIAL[QUANTITY]);
    else if (schema.format) node.format = schema.format === 'micro-time' ? 'date-time' : schema.format;

    if (schema.properties) {
      node.properties = Object.fromEntries(
        Object.entries(schema.properties).map(([name, child]) => [
          name,
          this.#property(child, owner, owner ? name : '', schema.go?.zeroDefault?.includes(name) === true),
        ]),
      );
    }
    if (schema.additionalProperties)
      node.additionalProperties = this.#inner(schema.additionalProperties, owner);
    if (schema.items) node.items = this.#inner(schema.items, owner);
    if (schema.required?.length) node.required = schema.required;
    if (schema.default !== undefined) node.default = schema.default;
    if (schema.enum) node.enum = schema.enum;
    if (owner && schema.enum && node.description)
      node.description = withPossibleValues(String(node.description), schema.enum);
    for (const key of LIMITS) if (schema[key] !== undefined) node[key] = schema[key];
    for (const key of COMBINED) {
      if (schema[key]) node[key] = schema[key].map(child => this.#convert(child, owner, ''));
    }
    if (schema.not) node.not = this.#convert(schema.not, owner, '');
    addExtensions(schema, node, owner === '');
    return node;
  }

  /** `zero`: a field that is not a pointer in Go has its zero value when nobody says another. */
  #property(schema: Schema, owner: string, field: string, zero: boolean): Node {
    const node = this.#convert(schema, owner, field);
    if (!zero || node.default !== undefined) return node;
    // What stands beside a `$ref` is ignored, so it moves inside.
    const { $ref, ...rest } = node;
    return { ...rest, ...($ref ? { allOf: [{ $ref }] } : {}), default: ZERO[schema.type ?? ''] ?? {} };
  }

  /** Items and map values have no prose of their own. */
  #inner(schema: Schema, owner: string): Node {
    if (schema.name !== undefined) return this.#reference(schema, {});
    return this.#convert(schema, owner, '');
  }

  /** A bare `$ref` when the place adds nothing to it, else wrapped, since OpenAPI 3.0 ignores what stands beside a `$ref`. */
  #reference(schema: Schema, beside: Node): Node {
    const name = schema.name as string;
    this.#add(name);
    const target = definition(name);
    if (schema.default !== undefined && schema.default !== target?.default) beside.default = schema.default;
    if (schema.mapType && schema.mapType !== target?.mapType)
      beside['x-kubernetes-map-type'] = schema.mapType;
    if (schema.patchStrategy && schema.patchStrategy !== target?.patchStrategy) {
      beside['x-kubernetes-patch-strategy'] = schema.patchStrategy.join(',');
    }
    return Object.keys(beside).length === 0 ? reference(name) : { ...beside, allOf: [reference(name)] };
  }
}

/** Go's zero values by type; structs are empty objects. */
const ZERO: Record<string, unknown> = { string: '', boolean: false, integer: 0, number: 0 };

const COMBINED = ['allOf', 'anyOf', 'oneOf'] as const;

const reference = (name: string): Node => ({ $ref: `#/components/schemas/${name}` });

function addKind(node: Node, { group, version, kind }: GroupVersionKind): void {
  const key = 'x-kubernetes-group-version-kind';
  node[key] ??= [];
  const kinds = node[key] as GroupVersionKind[];
  if (!kinds.some(item => item.group === group && item.version === version && item.kind === kind)) {
    kinds.push({ group, kind, version });
  }
}

function addExtensions(schema: Schema, node: Node, custom: boolean): void {
  if (schema.go?.unions) node['x-kubernetes-unions'] = schema.go.unions;
  if (schema.patchStrategy) node['x-kubernetes-patch-strategy'] = schema.patchStrategy.join(',');
  if (schema.patchMergeKey) node['x-kubernetes-patch-merge-key'] = schema.patchMergeKey;
  if (schema.listType) node['x-kubernetes-list-type'] = schema.listType;
  if (schema.listMapKeys) node['x-kubernetes-list-map-keys'] = schema.listMapKeys;
  if (schema.mapType) node['x-kubernetes-map-type'] = schema.mapType;
  if (!custom) return;
  if (schema.preserveUnknown) node['x-kubernetes-preserve-unknown-fields'] = true;
  if (schema.embeddedResource) node['x-kubernetes-embedded-resource'] = true;
  if (schema.validations) node['x-kubernetes-validations'] = schema.validations;
}

/** Upstream ends the prose of an enumerated field with its values, one bullet each. */
function withPossibleValues(description: string, values: readonly unknown[]): string {
  if (description.includes('Possible enum values:')) return description;
  return `${description}\n\nPossible enum values:\n${values.map(value => ` - \`${JSON.stringify(value)}\``).join('\n')}`;
}
