// What makes the schema of a custom resource structural (apiextensions pkg/apiserver/schema): types everywhere, no forbidden
// keywords inside value validation. Knows only schemas, not the definitions around them.

import {
  type FieldError,
  forbiddenField,
  GoStruct,
  invalidValue,
  notSupported,
  required,
} from '../../../kube/index.ts';
import { compileProblem, declaredType, ERROR, type Names, uniqueName } from '../../cel/index.ts';
import { definition, tryDecode } from '../../schema/index.ts';

const TYPES = ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'];
const MAX_DEPTH = 200;

interface Place {
  field: string;
  root?: boolean;
  /** `properties` of a field, an item, …: decides the words when the type is missing. */
  what?: 'field' | 'item' | 'additional';
}

const WHAT = {
  field: 'must not be empty for specified object fields',
  item: 'must not be empty for specified array items',
  additional: 'must not be empty for specified object fields',
} as const;

function keywords(schema: any, field: string): FieldError[] {
  const findings: FieldError[] = [];
  if (schema.uniqueItems === true)
    findings.push(
      forbiddenField(
        `${field}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    );
  for (const name of [
    '$ref',
    'definitions',
    'dependencies',
    'patternProperties',
    'additionalItems',
    'deprecated',
    'discriminator',
    'readOnly',
    'writeOnly',
    'xml',
  ])
    if (schema[name] !== undefined)
      findings.push(
        forbiddenField(
          `${field}.${name}`,
          name === '$ref' ? '$ref is not supported' : `${name} is not supported`,
        ),
      );
  if (schema.additionalProperties === false)
    findings.push(
      forbiddenField(`${field}.additionalProperties`, 'additionalProperties cannot be set to false'),
    );
  if (schema.properties && Object.keys(schema.properties).length > 0 && schema.additionalProperties)
    findings.push(
      forbiddenField(
        `${field}.additionalProperties`,
        'additionalProperties and properties are mutual exclusive',
      ),
    );
  if (schema.type === 'array' && Array.isArray(schema.items))
    findings.push(forbiddenField(`${field}.items`, 'items must be a schema object and not an array'));
  return findings;
}

function lists(schema: any, field: string): FieldError[] {
  const findings: FieldError[] = [];
  const listType = schema['x-kubernetes-list-type'];
  const keys: string[] = schema['x-kubernetes-list-map-keys'] ?? [];
  if (listType !== undefined) {
    if (schema.type !== 'array')
      findings.push(
        invalidValue(
          `${field}.type`,
          schema.type ?? '',
          'must be array if x-kubernetes-list-type is specified',
        ),
      );
    if (!['atomic', 'map', 'set'].includes(listType))
      findings.push(notSupported(`${field}.x-kubernetes-list-type`, listType, ['atomic', 'map', 'set']));
    if (listType === 'map') {
      if (keys.length === 0)
        findings.push(
          required(
            `${field}.x-kubernetes-list-map-keys`,
            'must not be empty if x-kubernetes-list-type is map',
          ),
        );
      for (const [i, key] of keys.entries())
        if (!schema.items?.properties?.[key])
          findings.push(
            invalidValue(
              `${field}.x-kubernetes-list-map-keys[${i}]`,
              key,
              'entries must all be names of item properties',
            ),
          );
    }
  }
  if (keys.length > 0 && listType !== 'map')
    findings.push(
      listType === undefined
        ? required(
            `${field}.x-kubernetes-list-type`,
            'must be map if x-kubernetes-list-map-keys is non-empty',
          )
        : invalidValue(
            `${field}.x-kubernetes-list-type`,
            listType,
            'must be map if x-kubernetes-list-map-keys is non-empty',
          ),
    );
  const mapType = schema['x-kubernetes-map-type'];
  if (mapType !== undefined && !['atomic', 'granular'].includes(mapType))
    findings.push(notSupported(`${field}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']));
  return findings;
}

const shownRule = (rule: any) =>
  new GoStruct({
    Rule: rule.rule ?? '',
    Message: rule.message ?? '',
    MessageExpression: rule.messageExpression ?? '',
    Reason: rule.reason ?? null,
    FieldPath: rule.fieldPath ?? '',
    OptionalOldSelf: rule.optionalOldSelf ?? null,
  });

/** Rules that cannot be asked. */
function rules(schema: any, field: string, root: boolean): FieldError[] {
  const list: any[] = schema['x-kubernetes-validations'] ?? [];
  if (list.length === 0) return [];
  const whole = root || schema['x-kubernetes-embedded-resource'] === true;
  const self = declaredType(schema, uniqueName('selfType', field), whole) ?? ERROR;
  return list.flatMap((rule, i) => {
    const at = `${field}.x-kubernetes-validations[${i}]`;
    const oldSelf = rule?.optionalOldSelf === true ? ({ kind: 'optional', of: self } as const) : self;
    const names: Names = new Map([
      ['self', self],
      ['oldSelf', oldSelf],
    ]);
    const findings: FieldError[] = [];
    const look = (part: 'rule' | 'messageExpression', type: 'bool' | 'string', words: string, of: string) => {
      const expression = rule?.[part];
      if (typeof expression !== 'string' || expression.trim() === '') return;
      const problem = compileProblem(expression, { names, types: [type] });
      if (problem)
        findings.push(
          invalidValue(`${at}.${part}`, shownRule(rule), problem.kind === 'type' ? words : of + problem.text),
        );
    };
    look('rule', 'bool', 'cel expression must evaluate to a bool', '');
    // Upstream stops at a rule that cannot be compiled.
    if (findings.length === 0)
      look(
        'messageExpression',
        'string',
        'messageExpression must evaluate to a string',
        'messageExpression ',
      );
    return findings;
  });
}

/**
 * `items` and `additionalProperties` may be more than a schema, so decoding lets everything in them pass: whether they are
 * one is looked at here.
 */
function below(schema: any, place: Place, depth: number): FieldError[] {
  const type = definition('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps');
  const error = type && tryDecode(schema, type).error;
  return error ? [invalidValue(place.field, schema, error)] : structuralFindings(schema, place, depth);
}

/** All findings of one schema node and below, in upstream's order: children by name, then the node itself. */
export function structuralFindings(
  schema: any,
  { field, root = false, what }: Place,
  depth = 0,
): FieldError[] {
  if (typeof schema !== 'object' || schema === null || depth > MAX_DEPTH) return [];
  const findings: FieldError[] = [];
  for (const name of Object.keys(schema.properties ?? {}).sort()) {
    // metadata is always an object with its own rules.
    if (root && name === 'metadata') {
      const metadata = schema.properties.metadata;
      if (metadata.type !== undefined && metadata.type !== 'object')
        findings.push(invalidValue(`${field}.properties[metadata].type`, metadata.type, 'must be object'));
      continue;
    }
    findings.push(
      ...structuralFindings(
        schema.properties[name],
        { field: `${field}.properties[${name}]`, what: 'field' },
        depth + 1,
      ),
    );
  }
  if (schema.items && !Array.isArray(schema.items))
    findings.push(...below(schema.items, { field: `${field}.items`, what: 'item' }, depth + 1));
  if (schema.additionalProperties && schema.additionalProperties !== true)
    findings.push(
      ...below(
        schema.additionalProperties,
        { field: `${field}.additionalProperties`, what: 'additional' },
        depth + 1,
      ),
    );
  findings.push(...keywords(schema, field), ...lists(schema, field), ...rules(schema, field, root));
  const free =
    schema['x-kubernetes-preserve-unknown-fields'] === true || schema['x-kubernetes-int-or-string'] === true;
  if (!schema.type) {
    if (root) findings.push(required(`${field}.type`, 'must not be empty at the root'));
    else if (!free) findings.push(required(`${field}.type`, what ? WHAT[what] : WHAT.field));
  } else if (!TYPES.includes(schema.type)) findings.push(notSupported(`${field}.type`, schema.type, TYPES));
  else if (root && schema.type !== 'object')
    findings.push(invalidValue(`${field}.type`, schema.type, 'must be object at the root'));
  if (schema['x-kubernetes-int-or-string'] === true && schema.type)
    findings.push(forbiddenField(`${field}.type`, 'must be empty if x-kubernetes-int-or-string is true'));
  if (schema.type === 'array' && !schema.items)
    findings.push(required(`${field}.items`, 'must be specified'));
  if (schema['x-kubernetes-embedded-resource'] === true && schema.type !== 'object')
    findings.push(
      invalidValue(
        `${field}.type`,
        schema.type ?? '',
        'must be object if x-kubernetes-embedded-resource is true',
      ),
    );
  return findings;
}

/** Formats that apiextensions knows for texts, dashes left out. Others are kept and warned of. */
const KNOWN_FORMATS = new Set(
  'bsonobjectid uri email hostname ipv4 ipv6 cidr mac uuid uuid3 uuid4 uuid5 isbn isbn10 isbn13 creditcard ssn hexcolor rgbcolor byte password date duration datetime k8sshortname k8slongname'.split(
    ' ',
  ),
);

/** Formats of texts that nothing checks, each once. */
export function unrecognizedFormats(schema: any, found = new Set<string>(), depth = 0): Set<string> {
  if (typeof schema !== 'object' || schema === null || depth > MAX_DEPTH) return found;
  const { format, type } = schema;
  if (type === 'string' && format && !KNOWN_FORMATS.has(String(format).replaceAll('-', '')))
    found.add(String(format));
  for (const child of Object.values(schema.properties ?? {})) unrecognizedFormats(child, found, depth + 1);
  unrecognizedFormats(schema.items, found, depth + 1);
  unrecognizedFormats(schema.additionalProperties, found, depth + 1);
  return found;
}
