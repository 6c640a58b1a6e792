// Writes the structural schema of a Kubernetes type as controller-gen does when descriptions are left out: from the models that
// @kubernetes/client-node carries. Knows no custom resource.

export type JsonSchema = { [key: string]: unknown };

interface Attribute {
  baseName: string;
  type: string;
  format: string;
}

interface Model {
  getAttributeTypeMap(): Attribute[];
}

/** What a quantity looks like, in the words of every generated schema. */
export const QUANTITY: JsonSchema = {
  anyOf: [{ type: 'integer' }, { type: 'string' }],
  pattern:
    '^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$',
  'x-kubernetes-int-or-string': true,
};
const INT_OR_STRING: JsonSchema = {
  anyOf: [{ type: 'integer' }, { type: 'string' }],
  'x-kubernetes-int-or-string': true,
};
/** Fields whose values the models call strings although they are quantities. */
const QUANTITIES = new Set(['limits', 'requests', 'overhead', 'sizeLimit', 'divisor']);
/** Lists of plain values, which have no key to merge by. */
const PRIMITIVE = new Set(['string', 'number', 'boolean']);

/** Turns model names (`V1PodSpec`) into schemas. The models are loaded once, when first asked for: that costs about a second. */
export async function schemaWriter(): Promise<(model: string) => JsonSchema> {
  const models = (await import('@kubernetes/client-node')) as unknown as Record<string, Model | undefined>;

  function of(type: string, field: string, format: string): JsonSchema {
    const list = /^Array<(.+)>$/.exec(type);
    if (list) {
      const [, item = ''] = list;
      return {
        items: of(item, field, ''),
        type: 'array',
        ...(PRIMITIVE.has(item) && { 'x-kubernetes-list-type': 'atomic' }),
      };
    }
    const map = /^\{ \[key: string\]: (.+?);? \}$/.exec(type);
    if (map) {
      const [, value = ''] = map;
      const additionalProperties = QUANTITIES.has(field) ? QUANTITY : of(value, field, '');
      return { additionalProperties, type: 'object' };
    }
    switch (type) {
      case 'string':
        return QUANTITIES.has(field) ? QUANTITY : { type: 'string', ...(format === 'byte' && { format }) };
      case 'number':
        return { type: 'integer', ...(format && { format }) };
      case 'boolean':
        return { type: 'boolean' };
      case 'Date':
        return { format: 'date-time', type: 'string' };
      case 'IntOrString':
        return INT_OR_STRING;
      // A template's metadata is checked where the object is made.
      case 'V1ObjectMeta':
      case 'any':
        return { type: 'object' };
      default:
        return model(type);
    }
  }

  function model(name: string): JsonSchema {
    const found = models[name];
    if (!found?.getAttributeTypeMap) throw new Error(`there is no model ${name}`);
    const properties = Object.fromEntries(
      found
        .getAttributeTypeMap()
        .map(({ baseName, type, format }): [string, JsonSchema] => [baseName, of(type, baseName, format)])
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
    return { properties, type: 'object' };
  }
  return model;
}
