// What CEL's type checker (cel-go) knows of a value before there is one, how it writes that down, and which type may stand
// where another is expected. Knows no expression and no function.

export type CelType =
  | { kind: Simple }
  | { kind: 'list'; of: CelType }
  | { kind: 'map'; key: CelType; value: CelType }
  /** Without `fields`: selecting from it is not judged. */
  | { kind: 'object'; name: string; fields?: Fields }
  | { kind: 'optional'; of: CelType }
  | { kind: 'type'; of: CelType }
  | { kind: 'param'; name: string };

/** The fields of an object by the names that expressions use. */
export interface Fields {
  get(name: string): CelType | undefined;
}

type Simple =
  | 'dyn'
  | 'error'
  | 'null'
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'timestamp'
  | 'duration';

const simple = (kind: Simple): CelType => ({ kind });

export const DYN = simple('dyn');
/** Of what was complained about already, or what this checker cannot judge: nothing more is said about it. */
export const ERROR = simple('error');
export const NULL = simple('null');
export const BOOL = simple('bool');
export const INT = simple('int');
export const UINT = simple('uint');
export const DOUBLE = simple('double');
export const STRING = simple('string');
export const BYTES = simple('bytes');
export const TIMESTAMP = simple('timestamp');
export const DURATION = simple('duration');

export const listOf = (of: CelType): CelType => ({ kind: 'list', of });
export const mapOf = (key: CelType, value: CelType): CelType => ({ kind: 'map', key, value });
export const optionalOf = (of: CelType): CelType => ({ kind: 'optional', of });
export const objectOf = (name: string, fields?: Record<string, CelType>): CelType => ({
  kind: 'object',
  name,
  ...(fields ? { fields: new Map(Object.entries(fields)) } : {}),
});

/** As cel-go's messages name it. */
export function typeName(type: CelType): string {
  switch (type.kind) {
    case 'list':
      return `list(${typeName(type.of)})`;
    case 'map':
      return `map(${typeName(type.key)}, ${typeName(type.value)})`;
    case 'optional':
      return `optional_type(${typeName(type.of)})`;
    case 'type':
      return `type(${typeName(type.of)})`;
    case 'object':
    case 'param':
      return type.name;
    case 'error':
      return '!error!';
    default:
      return type.kind;
  }
}

/** What type parameters stand for, so far. */
export type Bindings = Map<string, CelType>;

export const isLoose = (type: CelType): boolean => type.kind === 'dyn' || type.kind === 'error';

/** With parameters replaced by what they stand for; unbound ones become `dyn` when nothing more can be learnt of them. */
export function substitute(bindings: Bindings, type: CelType, toDyn = false): CelType {
  switch (type.kind) {
    case 'param': {
      const bound = bindings.get(type.name);
      if (bound) return substitute(bindings, bound, toDyn);
      return toDyn ? DYN : type;
    }
    case 'list':
    case 'optional':
    case 'type':
      return { kind: type.kind, of: substitute(bindings, type.of, toDyn) };
    case 'map':
      return mapOf(substitute(bindings, type.key, toDyn), substitute(bindings, type.value, toDyn));
    default:
      return type;
  }
}

/** May `given` stand where `wanted` is expected? What parameters come to stand for is kept only if it may. */
export function assignable(
  bindings: Bindings,
  given: readonly CelType[],
  wanted: readonly CelType[],
): boolean {
  if (given.length !== wanted.length) return false;
  const tried = new Map(bindings);
  if (!given.every((type, i) => fits(tried, type, wanted[i] as CelType))) return false;
  for (const [name, type] of tried) bindings.set(name, type);
  return true;
}

function fits(bindings: Bindings, given: CelType, wanted: CelType): boolean {
  if (wanted.kind === 'param') {
    const known = bindings.has(wanted.name);
    if (binds(bindings, given, wanted.name)) return true;
    if (known) return false;
  }
  if (given.kind === 'param') return binds(bindings, wanted, given.name);
  if (isLoose(given) || isLoose(wanted)) return true;
  if (given.kind === 'null') return nullable(wanted);
  if (wanted.kind === 'null') return nullable(given);
  switch (given.kind) {
    case 'list':
    case 'optional':
      return wanted.kind === given.kind && fits(bindings, given.of, wanted.of);
    case 'map':
      return (
        wanted.kind === 'map' &&
        fits(bindings, given.key, wanted.key) &&
        fits(bindings, given.value, wanted.value)
      );
    case 'object':
      return wanted.kind === 'object' && given.name === wanted.name;
    default:
      // A type is a type, whichever it is.
      return given.kind === wanted.kind;
  }
}

/** Can the parameter stand for `type`, with what it stands for already? */
function binds(bindings: Bindings, type: CelType, name: string): boolean {
  if (type.kind === 'param' && type.name === name) return true;
  const bound = bindings.get(name);
  if (bound) {
    if (!fits(bindings, type, bound)) return false;
    const wider = lessSpecific(type, bound) ? type : bound;
    if (!mentions(bindings, wider, name)) bindings.set(name, wider);
    return true;
  }
  if (mentions(bindings, type, name)) return false;
  bindings.set(name, type);
  return true;
}

function nullable({ kind }: CelType): boolean {
  return ['null', 'object', 'optional', 'timestamp', 'duration'].includes(kind);
}

/** The more general of two types that fit each other. */
export function mostGeneral(one: CelType, other: CelType): CelType {
  return lessSpecific(one, other) ? one : other;
}

function lessSpecific(one: CelType, other: CelType): boolean {
  if (one.kind === 'dyn' || one.kind === 'param') return true;
  if (other.kind === 'dyn' || other.kind === 'param' || one.kind !== other.kind) return false;
  if (one.kind === 'map' && other.kind === 'map')
    return lessSpecific(one.key, other.key) && lessSpecific(one.value, other.value);
  if (one.kind === 'list' || one.kind === 'optional')
    return lessSpecific(one.of, (other as { of: CelType }).of);
  return true;
}

function mentions(bindings: Bindings, type: CelType, name: string): boolean {
  switch (type.kind) {
    case 'param': {
      if (type.name === name) return true;
      const bound = bindings.get(type.name);
      return bound !== undefined && mentions(bindings, bound, name);
    }
    case 'list':
    case 'optional':
    case 'type':
      return mentions(bindings, type.of, name);
    case 'map':
      return mentions(bindings, type.key, name) || mentions(bindings, type.value, name);
    default:
      return false;
  }
}
