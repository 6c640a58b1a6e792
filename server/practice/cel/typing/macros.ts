// CEL's macros as its type checker sees them: what they bind, what their parts must give. Knows no types by itself.

import type { ASTNode } from '@marcbachmann/cel-js';
import type { Inference, Scope } from './infer.ts';
import { qualifiedName } from './names.ts';
import {
  BOOL,
  type CelType,
  DYN,
  ERROR,
  INT,
  isLoose,
  listOf,
  mapOf,
  optionalOf,
  typeName,
} from './types.ts';

type Call = ASTNode & { op: 'call' | 'rcall' };

/** The type of a macro's call; undefined when it is an ordinary one. */
export function checkMacro(check: Inference, node: Call, scope: Scope): CelType | undefined {
  if (node.op === 'call') return node.args[0] === 'has' ? hasField(check, node, scope) : undefined;
  const [name, receiver, parts] = node.args;
  if (name === 'bind' && qualifiedName(receiver) === 'cel' && parts.length === 3) {
    const [variable, value, body] = parts as [ASTNode, ASTNode, ASTNode];
    return check.infer(body, binding(scope, [[variable, check.infer(value, scope)]]));
  }
  const key = `${name}/${parts.length}`;
  if (key === 'optMap/2' || key === 'optFlatMap/2') {
    const whole = check.settled(check.infer(receiver, scope));
    const inner = whole.kind === 'optional' ? whole.of : ERROR;
    const body = check.infer(parts[1] as ASTNode, binding(scope, [[parts[0] as ASTNode, inner]]));
    return name === 'optMap' ? optionalOf(body) : body;
  }
  const comprehend = COMPREHENSIONS[key];
  if (!comprehend) return undefined;
  const range = check.settled(check.infer(receiver, scope));
  const two = comprehend.variables === 2;
  const inner = binding(scope, bound(check, receiver, range, parts, two));
  return comprehend.check(check, node, parts.slice(comprehend.variables), inner, range);
}

interface Comprehension {
  variables: 1 | 2;
  check(check: Inference, node: Call, parts: readonly ASTNode[], scope: Scope, range: CelType): CelType;
}

const quantifier: Comprehension['check'] = (check, _node, [predicate], scope) => {
  check.expectBool(predicate as ASTNode, check.infer(predicate as ASTNode, scope));
  return BOOL;
};

const one: Comprehension['check'] = (check, node, [predicate], scope) => {
  check.resolve(node, '_?_:_', [check.infer(predicate as ASTNode, scope), INT, INT]);
  return BOOL;
};

/** `[predicate,] transform` into what `wrap` makes of the result. */
const transform =
  (wrap: (type: CelType, range: CelType) => CelType): Comprehension['check'] =>
  (check, node, parts, scope, range) => {
    const body = parts.at(-1) as ASTNode;
    const [predicate] = parts.length > 1 ? parts : [];
    const condition = predicate && check.infer(predicate, scope);
    const whole = wrap(check.infer(body, scope), range);
    return condition ? check.resolve(node, '_?_:_', [condition, whole, whole]) : whole;
  };

const filter: Comprehension['check'] = (check, node, [predicate], scope, range) => {
  const condition = check.infer(predicate as ASTNode, scope);
  const whole = listOf(elements(range));
  return check.resolve(node, '_?_:_', [condition, whole, whole]);
};

const list = transform(listOf);
const map = transform((type, range) => mapOf(range.kind === 'map' ? range.key : INT, type));

const COMPREHENSIONS: Record<string, Comprehension> = {
  'all/2': { variables: 1, check: quantifier },
  'exists/2': { variables: 1, check: quantifier },
  'exists_one/2': { variables: 1, check: one },
  'existsOne/2': { variables: 1, check: one },
  'map/2': { variables: 1, check: list },
  'map/3': { variables: 1, check: list },
  'filter/2': { variables: 1, check: filter },
  'all/3': { variables: 2, check: quantifier },
  'exists/3': { variables: 2, check: quantifier },
  'exists_one/3': { variables: 2, check: one },
  'existsOne/3': { variables: 2, check: one },
  'transformList/3': { variables: 2, check: list },
  'transformList/4': { variables: 2, check: list },
  'transformMap/3': { variables: 2, check: map },
  'transformMap/4': { variables: 2, check: map },
  'transformMapEntry/3': { variables: 2, check: transform(type => type) },
  'transformMapEntry/4': { variables: 2, check: transform(type => type) },
};

function hasField(check: Inference, node: Call, scope: Scope): CelType {
  const parts = node.args[1] as readonly ASTNode[];
  const [field] = parts;
  if (parts.length !== 1 || field?.op !== '.') {
    check.complain(node, 'invalid argument to has() macro');
    return BOOL;
  }
  check.select(node, field.args, scope, false);
  return BOOL;
}

/** What one goes over: the elements of a list, the keys of a map. */
function elements(range: CelType): CelType {
  if (range.kind === 'list') return range.of;
  if (range.kind === 'map') return range.key;
  return range.kind === 'error' ? ERROR : DYN;
}

function bound(
  check: Inference,
  receiver: ASTNode,
  range: CelType,
  parts: readonly ASTNode[],
  two: boolean,
): [ASTNode, CelType][] {
  if (range.kind !== 'list' && range.kind !== 'map' && range.kind !== 'param' && !isLoose(range))
    check.complain(
      receiver,
      `expression of type '${typeName(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
    );
  const [first, second] = parts as [ASTNode, ASTNode];
  if (!two) return [[first, elements(range)]];
  const value = range.kind === 'map' ? range.value : elements(range);
  const key = range.kind === 'list' ? INT : elements(range);
  return [
    [first, key],
    [second, value],
  ];
}

/** Names that hide those outside. What is no name binds nothing. */
function binding(scope: Scope, names: readonly [ASTNode, CelType][]): Scope {
  const inner = new Map(scope);
  for (const [variable, type] of names) if (variable.op === 'id') inner.set(variable.args, type);
  return inner;
}
