// Which type an expression gives, and what in it cannot be: cel-go's checker over the tree of the parser at hand. It says
// nothing where it is not sure. Macros are a file of their own.

import type { ASTNode } from '@marcbachmann/cel-js';
import { checkMacro } from './macros.ts';
import { qualifiedName } from './names.ts';
import { type Finding, placeOf } from './places.ts';
import { overloadsOf, TYPE_NAMES, UNJUDGED } from './signatures.ts';
import {
  assignable,
  type Bindings,
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DYN,
  ERROR,
  INT,
  isLoose,
  listOf,
  mapOf,
  mostGeneral,
  NULL,
  optionalOf,
  STRING,
  substitute,
  typeName,
  UINT,
} from './types.ts';

/** Names in reach: variables, and those that macros bind. */
export type Scope = ReadonlyMap<string, CelType>;

const OPERATORS: Record<string, string> = { in: '@in', '[]': '_[_]', '[?]': '_[?_]' };

/** One expression's check. */
export class Inference {
  readonly findings: Finding[] = [];
  readonly #source: string;
  readonly #bindings: Bindings = new Map();
  #fresh = 0;

  constructor(source: string) {
    this.#source = source;
  }

  /** The type of the whole, with nothing left open. */
  result(node: ASTNode, scope: Scope): CelType {
    return substitute(this.#bindings, this.infer(node, scope), true);
  }

  infer(node: ASTNode, scope: Scope): CelType {
    switch (node.op) {
      case 'value':
        return literal(node.args);
      case 'id':
        return this.#name(node, node.args, scope);
      case '.':
        return this.#qualified(node, scope) ?? this.select(node, node.args, scope, false);
      case '.?':
        return this.select(node, node.args, scope, true);
      case '&&':
      case '||':
        for (const side of node.args) this.expectBool(side, this.infer(side, scope));
        return BOOL;
      case '!_':
      case '-_':
        return this.resolve(node, node.op, [this.infer(node.args, scope)]);
      case '?:':
        return this.resolve(
          node,
          '_?_:_',
          node.args.map(part => this.infer(part, scope)),
        );
      case 'list':
        return listOf(this.#joined(node.args.map(item => this.infer(item, scope))));
      case 'map':
        return mapOf(
          this.#joined(node.args.map(([key]) => this.infer(key, scope))),
          this.#joined(node.args.map(([, value]) => this.infer(value, scope))),
        );
      case 'call':
      case 'rcall':
        return checkMacro(this, node, scope) ?? this.#call(node, scope);
      default: {
        const sides = node.args as [ASTNode, ASTNode];
        return this.resolve(
          node,
          OPERATORS[node.op] ?? `_${node.op}_`,
          sides.map(side => this.infer(side, scope)),
        );
      }
    }
  }

  complain(node: ASTNode, text: string): CelType {
    this.findings.push({ at: placeOf(node, this.#source), text });
    return ERROR;
  }

  expectBool(node: ASTNode, type: CelType): void {
    if (assignable(this.#bindings, [type], [BOOL])) return;
    this.complain(node, `expected type 'bool' but found '${typeName(this.settled(type))}'`);
  }

  settled(type: CelType): CelType {
    return substitute(this.#bindings, type);
  }

  /** The field of what `operand` gives; `at` is where a message points. */
  select(
    at: ASTNode,
    [operand, field]: readonly [ASTNode, string],
    scope: Scope,
    optional: boolean,
  ): CelType {
    const whole = this.settled(this.infer(operand, scope));
    const target = whole.kind === 'optional' ? whole.of : whole;
    const found = this.#field(at, target, field);
    return optional || whole.kind === 'optional' ? optionalOf(found) : found;
  }

  #field(at: ASTNode, target: CelType, field: string): CelType {
    switch (target.kind) {
      case 'map':
        return target.value;
      case 'object': {
        if (!target.fields) return ERROR;
        // A field may have a name that CEL keeps for itself: such names are written with underscores around them.
        const found = target.fields.get(field) ?? target.fields.get(`__${field}__`);
        return found ?? this.complain(at, `undefined field '${field}'`);
      }
      case 'param':
        assignable(this.#bindings, [DYN], [target]);
        return DYN;
      default:
        if (!isLoose(target))
          this.complain(at, `type '${typeName(target)}' does not support field selection`);
        return DYN;
    }
  }

  /** The call's type by its overloads; `name` as the messages have it. */
  resolve(node: ASTNode, name: string, types: readonly CelType[], member = false): CelType {
    let result: CelType | undefined;
    for (const overload of overloadsOf(name) ?? []) {
      if (overload.member !== member) continue;
      const own = this.#instance();
      if (!assignable(this.#bindings, types, overload.takes.map(own))) continue;
      const gives = this.settled(own(overload.gives));
      if (result === undefined) result = gives;
      else if (result.kind !== 'dyn' && typeName(result) !== typeName(gives)) result = DYN;
    }
    if (result?.kind === 'dyn' && types.some(type => type.kind === 'error')) return ERROR;
    if (result !== undefined) return result;
    const named = types.map(type => typeName(substitute(this.#bindings, type, true)));
    const applied = member ? `${named[0]}.(${named.slice(1).join(', ')})` : `(${named.join(', ')})`;
    return this.complain(node, `found no matching overload for '${name}' applied to '${applied}'`);
  }

  /** A renaming of an overload's type parameters to ones that nobody has used. */
  #instance(): (type: CelType) => CelType {
    const mark = `_var${this.#fresh++}`;
    const rename: Bindings = new Map(
      ['A', 'B'].map(name => [name, { kind: 'param', name: `${mark}${name}` }]),
    );
    return type => substitute(rename, type);
  }

  /** Values of several types make a list of anything here: whether upstream refuses it depends on what it is for. */
  #joined(types: readonly CelType[]): CelType {
    if (types.length === 0) return { kind: 'param', name: `_var${this.#fresh++}` };
    return types.reduce((one, other) =>
      assignable(this.#bindings, [one], [other]) ? mostGeneral(one, other) : ERROR,
    );
  }

  #name(node: ASTNode, name: string, scope: Scope): CelType {
    return known(name, scope) ?? this.complain(node, `undeclared reference to '${name}' (in container '')`);
  }

  /** `a.b.c` that is one name. */
  #qualified(node: ASTNode, scope: Scope): CelType | undefined {
    const name = qualifiedName(node);
    return name === undefined ? undefined : known(name, scope);
  }

  #call(node: ASTNode & { op: 'call' | 'rcall' }, scope: Scope): CelType {
    const name = node.args[0];
    const operands = node.op === 'call' ? node.args[1] : node.args[2];
    const types = operands.map(operand => this.infer(operand, scope));
    if (node.op === 'rcall') {
      const receiver = node.args[1];
      const prefix = qualifiedName(receiver);
      const full = `${prefix}.${name}`;
      if (prefix !== undefined && !scope.has(prefix) && overloadsOf(full))
        return this.resolve(node, full, types);
      // A namespace of the evaluator's own is no variable.
      if (UNJUDGED.has(name) && prefix !== undefined && !scope.has(prefix.split('.')[0] as string))
        return ERROR;
      types.unshift(this.infer(receiver, scope));
    }
    if (overloadsOf(name)) return this.resolve(node, name, types, node.op === 'rcall');
    if (UNJUDGED.has(name)) return ERROR;
    return this.complain(node, `undeclared reference to '${name}' (in container '')`);
  }
}

/** What a name stands for: a variable, else a type. */
function known(name: string, scope: Scope): CelType | undefined {
  const type = TYPE_NAMES.get(name);
  return scope.get(name) ?? (type && { kind: 'type', of: type });
}

function literal(value: unknown): CelType {
  switch (typeof value) {
    case 'string':
      return STRING;
    case 'bigint':
      return INT;
    case 'number':
      return DOUBLE;
    case 'boolean':
      return BOOL;
    default:
      if (value === null) return NULL;
      return value instanceof Uint8Array ? BYTES : UINT;
  }
}
