// The expressions of policies and webhooks, compiled in upstream's order and each with the names it may use. Kinds are left
// open: one policy may be for several; what they lack is told in its status.

import {
  duplicate,
  type FieldError,
  invalidValue,
  qualifiedNameErrors,
  required,
  tooMany,
} from '../../../kube/index.ts';
import {
  checkExpression,
  compileProblem,
  composing,
  DYN,
  ERROR,
  type Names,
  policyNames,
  type ResultType,
  withVariable,
} from '../../cel/index.ts';

const MOST_CONDITIONS = 64;
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Literals that mutating policies build objects with: the parser at hand does not read them. */
const LITERAL = /\b(Object|JSONPatch)\b/;

/** What expressions of a webhook or policy may name, variables aside. */
export const openNames = (withParams: boolean): Names => policyNames(DYN, withParams ? DYN : undefined);

/** What upstream finds when it compiles `expression`. */
function compiled(
  expression: string,
  field: string,
  names: Names,
  types?: readonly ResultType[],
): FieldError[] {
  if (LITERAL.test(expression)) return [];
  const problem = compileProblem(expression, { names, ...(types ? { types } : {}) });
  if (!problem) return [];
  const wanted = types?.length === 1 ? types[0] : `one of [${types?.join(' ')}]`;
  const text = problem.kind === 'type' ? `must evaluate to ${wanted} but got ${problem.got}` : problem.text;
  return [invalidValue(field, expression, text)];
}

const given = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';

/** Conditions are asked before there are variables. */
export function matchConditions(list: any[] = [], field: string, names: Names): FieldError[] {
  const seen = new Set<string>();
  const findings = list.length > MOST_CONDITIONS ? [tooMany(field, list.length, MOST_CONDITIONS)] : [];
  for (const [i, { name, expression }] of list.entries()) {
    const at = `${field}[${i}]`;
    if (given(expression)) findings.push(...compiled(expression.trim(), `${at}.expression`, names, ['bool']));
    else findings.push(required(`${at}.expression`));
    if (!name) findings.push(required(`${at}.name`));
    else {
      for (const problem of qualifiedNameErrors(name))
        findings.push(invalidValue(`${at}.name`, name, problem));
      if (seen.has(name)) findings.push(duplicate(`${at}.name`, name));
      seen.add(name);
    }
  }
  return findings;
}

/** Findings about the variables, and the names that later expressions may use. */
export function variables(
  list: any[] = [],
  field: string,
  names: Names,
): { findings: FieldError[]; names: Names } {
  const seen = new Set<string>();
  const findings: FieldError[] = [];
  let known = list.length > 0 ? composing(names) : names;
  for (const [i, variable] of list.entries()) {
    const at = `${field}[${i}]`;
    const name: string = variable.name ?? '';
    if (!name) findings.push(required(`${at}.name`, 'name is not specified'));
    else if (!IDENTIFIER.test(name))
      findings.push(invalidValue(`${at}.name`, name, 'name is not a valid CEL identifier'));
    if (name && seen.has(name)) findings.push(duplicate(`${at}.name`, name));
    seen.add(name);
    const { expression } = variable;
    if (given(expression)) findings.push(...compiled(expression, `${at}.expression`, known));
    else findings.push(required(`${at}.expression`, 'expression is not specified'));
    const literal = !given(expression) || LITERAL.test(expression);
    known = withVariable(known, name, literal ? ERROR : checkExpression(expression, known).type);
  }
  return { findings, names: known };
}

export function validations(list: any[] = [], field: string, names: Names): FieldError[] {
  const ofMessages = new Map(names);
  for (const name of ['authorizer', 'authorizer.requestResource']) ofMessages.delete(name);
  return list.flatMap(({ expression, messageExpression }, i) => {
    const at = `${field}[${i}]`;
    return [
      ...(given(expression)
        ? compiled(expression, `${at}.expression`, names, ['bool'])
        : [required(`${at}.expression`, 'expression is not specified')]),
      ...(given(messageExpression)
        ? compiled(messageExpression, `${at}.messageExpression`, ofMessages, ['string'])
        : []),
    ];
  });
}

export function auditAnnotations(list: any[] = [], field: string, names: Names): FieldError[] {
  return list.flatMap(({ valueExpression }, i) =>
    given(valueExpression)
      ? compiled(valueExpression, `${field}[${i}].valueExpression`, names, ['string', 'null_type'])
      : [],
  );
}
