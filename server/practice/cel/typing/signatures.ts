// Every operator and function that expressions in Kubernetes 1.36 may use, with the types it takes and gives: cel-go's
// standard library, its strings, sets and optionals, and Kubernetes' own. Only types: what they do is elsewhere.

import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  NULL,
  objectOf,
  optionalOf,
  STRING,
  TIMESTAMP,
  UINT,
} from './types.ts';

export interface Overload {
  /** Called as `receiver.name(…)`; the receiver is then the first of `takes`. */
  member: boolean;
  takes: readonly CelType[];
  gives: CelType;
}

const TYPES: Record<string, CelType> = {
  bool: BOOL,
  bytes: BYTES,
  double: DOUBLE,
  duration: DURATION,
  dyn: DYN,
  int: INT,
  null: NULL,
  string: STRING,
  timestamp: TIMESTAMP,
  uint: UINT,
  IP: objectOf('net.IP'),
  CIDR: objectOf('net.CIDR'),
  URL: objectOf('kubernetes.URL'),
  Quantity: objectOf('kubernetes.Quantity'),
  Semver: objectOf('kubernetes.Semver'),
  Format: objectOf('kubernetes.NamedFormat'),
  Authorizer: objectOf('kubernetes.authorization.Authorizer'),
  PathCheck: objectOf('kubernetes.authorization.PathCheck'),
  GroupCheck: objectOf('kubernetes.authorization.GroupCheck'),
  ResourceCheck: objectOf('kubernetes.authorization.ResourceCheck'),
  Decision: objectOf('kubernetes.authorization.Decision'),
};

export const AUTHORIZER = TYPES.Authorizer as CelType;
export const RESOURCE_CHECK = TYPES.ResourceCheck as CelType;

/** Names that stand for types: `type(x) == string`. */
export const TYPE_NAMES: ReadonlyMap<string, CelType> = new Map<string, CelType>([
  ...['bool', 'bytes', 'double', 'int', 'string', 'uint'].map((name): [string, CelType] => [
    name,
    TYPES[name] as CelType,
  ]),
  ['list', listOf(DYN)],
  ['map', mapOf(DYN, DYN)],
  ['null_type', NULL],
  ['type', { kind: 'type', of: DYN }],
  ['optional_type', optionalOf(DYN)],
  ['google.protobuf.Timestamp', TIMESTAMP],
  ['google.protobuf.Duration', DURATION],
  ['net.IP', TYPES.IP as CelType],
  ['net.CIDR', TYPES.CIDR as CelType],
  ['kubernetes.URL', TYPES.URL as CelType],
  ['kubernetes.Quantity', TYPES.Quantity as CelType],
]);

const ORDERED = [
  'bool bool',
  'int int',
  'int double',
  'int uint',
  'uint uint',
  'uint double',
  'uint int',
  'double double',
  'double int',
  'double uint',
  'string string',
  'bytes bytes',
  'timestamp timestamp',
  'duration duration',
];
const COMPARABLE = ['int', 'uint', 'double', 'bool', 'duration', 'timestamp', 'string', 'bytes'];
const each = (list: readonly string[], line: (item: string) => string) => list.map(line);

/** `name: takes … > gives`, several ways to call it apart by `;`. A leading dot: called on its first. */
const LINES: readonly string[] = [
  '!_: bool > bool',
  '-_: int > int; double > double',
  '_+_: bytes bytes > bytes; double double > double; duration duration > duration; duration timestamp > timestamp; timestamp duration > timestamp; int int > int; list(A) list(A) > list(A); string string > string; uint uint > uint',
  '_-_: double double > double; duration duration > duration; int int > int; timestamp duration > timestamp; timestamp timestamp > duration; uint uint > uint',
  ...each(['*', '/'], op => `_${op}_: double double > double; int int > int; uint uint > uint`),
  '_%_: int int > int; uint uint > uint',
  ...each(['==', '!='], op => `_${op}_: A A > bool`),
  ...each(['<', '<=', '>', '>='], op => `_${op}_: ${each(ORDERED, types => `${types} > bool`).join('; ')}`),
  '@in: A list(A) > bool; A map(A,B) > bool',
  '_?_:_: bool A A > A',
  '_[_]: list(A) int > A; map(A,B) A > B; optional(list(A)) int > optional(A); optional(map(A,B)) A > optional(B)',
  '_[?_]: list(A) int > optional(A); map(A,B) A > optional(B); optional(list(A)) int > optional(A); optional(map(A,B)) A > optional(B)',
  'size: string > int; bytes > int; list(A) > int; map(A,B) > int; .string > int; .bytes > int; .list(A) > int; .map(A,B) > int',
  'bool: bool > bool; string > bool',
  'bytes: bytes > bytes; string > bytes',
  'double: double > double; int > double; string > double; uint > double',
  'duration: duration > duration; int > duration; string > duration',
  'dyn: A > dyn',
  'int: int > int; double > int; duration > int; string > int; timestamp > int; uint > int',
  'string: string > string; bool > string; bytes > string; double > string; duration > string; int > string; timestamp > string; uint > string; IP > string; CIDR > string',
  'timestamp: timestamp > timestamp; int > timestamp; string > timestamp',
  'type: A > type(A)',
  'uint: uint > uint; double > uint; int > uint; string > uint',
  ...each(['contains', 'startsWith', 'endsWith'], name => `${name}: .string string > bool`),
  'matches: string string > bool; .string string > bool',
  ...each(
    ['getFullYear', 'getMonth', 'getDayOfYear', 'getDayOfMonth', 'getDate', 'getDayOfWeek'],
    name => `${name}: .timestamp > int; .timestamp string > int`,
  ),
  ...each(
    ['getHours', 'getMinutes', 'getSeconds', 'getMilliseconds'],
    name => `${name}: .timestamp > int; .timestamp string > int; .duration > int`,
  ),
  'optional.of: A > optional(A)',
  'optional.ofNonZeroValue: A > optional(A)',
  'optional.none:  > optional(A)',
  'hasValue: .optional(A) > bool',
  'value: .optional(A) > A',
  'or: .optional(A) optional(A) > optional(A)',
  'orValue: .optional(A) A > A',
  'charAt: .string int > string',
  'indexOf: .string string > int; .string string int > int; .list(A) A > int',
  'lastIndexOf: .string string > int; .string string int > int; .list(A) A > int',
  'join: .list(string) > string; .list(string) string > string',
  ...each(['lowerAscii', 'upperAscii', 'trim'], name => `${name}: .string > string`),
  'replace: .string string string > string; .string string string int > string',
  'split: .string string > list(string); .string string int > list(string)',
  'substring: .string int > string; .string int int > string',
  'format: .string list(dyn) > string',
  'strings.quote: string > string',
  ...each(['contains', 'equivalent', 'intersects'], name => `sets.${name}: list(A) list(A) > bool`),
  'find: .string string > string',
  'findAll: .string string > list(string); .string string int > list(string)',
  `isSorted: ${each(COMPARABLE, type => `.list(${type}) > bool`).join('; ')}`,
  `min: ${each(COMPARABLE, type => `.list(${type}) > ${type}`).join('; ')}`,
  `max: ${each(COMPARABLE, type => `.list(${type}) > ${type}`).join('; ')}`,
  `sum: ${each(['int', 'uint', 'double', 'duration'], type => `.list(${type}) > ${type}`).join('; ')}`,
  'isURL: string > bool',
  'url: string > URL',
  ...each(
    ['getScheme', 'getHost', 'getHostname', 'getPort', 'getEscapedPath'],
    name => `${name}: .URL > string`,
  ),
  'getQuery: .URL > map(string,list(string))',
  'isQuantity: string > bool',
  'quantity: string > Quantity',
  'sign: .Quantity > int',
  'isInteger: .Quantity > bool',
  'asInteger: .Quantity > int',
  'asApproximateFloat: .Quantity > double',
  ...each(['add', 'sub'], name => `${name}: .Quantity Quantity > Quantity; .Quantity int > Quantity`),
  ...each(
    ['isGreaterThan', 'isLessThan'],
    name => `${name}: .Quantity Quantity > bool; .Semver Semver > bool`,
  ),
  'compareTo: .Quantity Quantity > int; .Semver Semver > int',
  'semver: string > Semver; string bool > Semver',
  'isSemver: string > bool; string bool > bool',
  ...each(['major', 'minor', 'patch'], name => `${name}: .Semver > int`),
  'ip: string > IP; .CIDR > IP',
  'isIP: string > bool',
  'ip.isCanonical: string > bool',
  'family: .IP > int',
  ...each(
    ['isUnspecified', 'isLoopback', 'isLinkLocalMulticast', 'isLinkLocalUnicast', 'isGlobalUnicast'],
    name => `${name}: .IP > bool`,
  ),
  'cidr: string > CIDR',
  'isCIDR: string > bool',
  'containsIP: .CIDR string > bool; .CIDR IP > bool',
  'containsCIDR: .CIDR string > bool; .CIDR CIDR > bool',
  'masked: .CIDR > CIDR',
  'prefixLength: .CIDR > int',
  'format.named: string > optional(Format)',
  'validate: .Format string > optional(list(string))',
  ...each(
    'dns1123Label dns1123Subdomain dns1035Label qualifiedName dns1123LabelPrefix dns1123SubdomainPrefix dns1035LabelPrefix labelValue uri uuid byte date datetime'.split(
      ' ',
    ),
    name => `format.${name}:  > Format`,
  ),
  'path: .Authorizer string > PathCheck',
  'group: .Authorizer string > GroupCheck',
  'serviceAccount: .Authorizer string string > Authorizer',
  'resource: .GroupCheck string > ResourceCheck',
  ...each(
    ['subresource', 'namespace', 'name', 'fieldSelector', 'labelSelector'],
    name => `${name}: .ResourceCheck string > ResourceCheck`,
  ),
  'check: .PathCheck string > Decision; .ResourceCheck string > Decision',
  ...each(['allowed', 'errored'], name => `${name}: .Decision > bool`),
  ...each(['reason', 'error'], name => `${name}: .Decision > string`),
];

const NESTED = { list: listOf, optional: optionalOf, type: (of: CelType): CelType => ({ kind: 'type', of }) };

function readType(text: string): CelType {
  const [, outer = '', inner = ''] = /^(\w+)\((.*)\)$/.exec(text) ?? [];
  if (outer === 'map') {
    const comma = inner.indexOf(',');
    return mapOf(readType(inner.slice(0, comma)), readType(inner.slice(comma + 1)));
  }
  if (outer) return NESTED[outer as keyof typeof NESTED](readType(inner));
  return TYPES[text] ?? { kind: 'param', name: text };
}

function readOverload(text: string): Overload {
  const member = text.startsWith('.');
  const [takes = '', gives = ''] = text.slice(member ? 1 : 0).split('> ');
  return { member, takes: takes.trim().split(' ').filter(Boolean).map(readType), gives: readType(gives) };
}

let table: Map<string, readonly Overload[]> | undefined;

/** The ways to call what `name` names; undefined when Kubernetes has no such function. */
export function overloadsOf(name: string): readonly Overload[] | undefined {
  table ??= new Map(
    LINES.map(line => {
      const at = line.indexOf(': ');
      return [
        line.slice(0, at),
        line
          .slice(at + 2)
          .split(';')
          .map(part => readOverload(part.trim())),
      ];
    }),
  );
  return table.get(name);
}

/** Functions that the evaluator, or another version of the libraries, has: nothing is said of them. */
export const UNJUDGED: ReadonlySet<string> = new Set(
  'json hex base64 at reverse includes distinct flatten sort sortBy slice range first last unwrap unwrapOpt transformList transformMap transformMapEntry optMap optFlatMap ofNonZeroValue encode decode greatest least image isImage registry repository identifier tag digest jsonpatchEscapeKey escapeKey'.split(
    ' ',
  ),
);
