// The CEL rules of a custom schema, checked on every value they stand beside. Knows schemas and CEL, no storage.

import type { FieldError, Schema } from '../../../kube/index.ts';
import {
  celError,
  compile,
  compileWithOptionalOld,
  optionalValue,
  type Program,
  schemaValue,
} from '../../cel/index.ts';
import { isObject, sameValue } from '../values.ts';
import { counterpart } from './validation.ts';

type Rule = NonNullable<Schema['validations']>[number];

const programs = new Map<string, Program | string>();

/** The program, or why there is none. */
function programOf(expression: string, { optionalOldSelf }: Rule): Program | string {
  const key = `${optionalOldSelf === true} ${expression}`;
  let program = programs.get(key);
  if (program === undefined) {
    try {
      program = optionalOldSelf ? compileWithOptionalOld(expression) : compile(expression);
    } catch (error) {
      program = celError(error);
    }
    programs.set(key, program);
  }
  return program;
}

export function hasRules(schema: Schema): boolean {
  if (schema.validations?.length) return true;
  if (schema.items && hasRules(schema.items)) return true;
  if (schema.additionalProperties && hasRules(schema.additionalProperties)) return true;
  return Object.values(schema.properties ?? {}).some(child => child.name === undefined && hasRules(child));
}

const REASONS: Record<string, FieldError['type']> = {
  FieldValueInvalid: 'Invalid',
  FieldValueForbidden: 'Forbidden',
  FieldValueRequired: 'Required',
  FieldValueDuplicate: 'Duplicate',
};

const WORDS: Partial<Record<FieldError['type'], string>> = {
  Invalid: 'Invalid value',
  Forbidden: 'Forbidden',
  Required: 'Required value',
  Duplicate: 'Duplicate value',
};

/**
 * `old` is undefined on create; rules that mention oldSelf wait for an update. Other rules are not asked again about a value
 * that is as it was, nor about what has no history inside one.
 */
export function checkRules(
  value: unknown,
  old: unknown,
  schema: Schema,
  field = '',
  within = false,
): FieldError[] {
  const findings: FieldError[] = [];
  const unchanged = old === undefined ? within : sameValue(value, old);
  for (const rule of schema.validations ?? []) {
    const transition = /\boldSelf\b/.test(rule.rule);
    if (transition && old === undefined && !rule.optionalOldSelf) continue;
    if (!transition && unchanged) continue;
    const finding = checkRule(rule, value, old, schema, field);
    if (finding) findings.push(finding);
  }
  if (Array.isArray(value) && schema.items) {
    for (const [index, item] of value.entries()) {
      const before = counterpart(item, old, schema);
      findings.push(...checkRules(item, before, schema.items, `${field}[${index}]`, unchanged));
    }
  } else if (isObject(value)) {
    for (const key of Object.keys(value).sort()) {
      const child = schema.properties?.[key] ?? schema.additionalProperties;
      if (!child || child.name !== undefined) continue;
      const before = isObject(old) ? old[key] : undefined;
      findings.push(...checkRules(value[key], before, child, field ? `${field}.${key}` : key, unchanged));
    }
  }
  return findings;
}

function checkRule(
  rule: Rule,
  value: unknown,
  old: unknown,
  schema: Schema,
  field: string,
): FieldError | undefined {
  const program = programOf(rule.rule, rule);
  const before = old === undefined ? undefined : schemaValue(old, schema);
  const variables = {
    self: schemaValue(value, schema),
    ...(rule.optionalOldSelf
      ? { oldSelf: optionalValue(before) }
      : before === undefined
        ? {}
        : { oldSelf: before }),
  };
  const at = rule.fieldPath ? `${field}${rule.fieldPath}`.replace(/^\./, '') : field;
  const type = REASONS[rule.reason ?? 'FieldValueInvalid'] ?? 'Invalid';
  const says = (text: string): FieldError => ({
    field: at || '<nil>',
    type,
    message: `${WORDS[type]}: ${text}`,
  });
  if (typeof program === 'string') return says(`rule compile error: ${program}`);
  try {
    if (program(variables) === true) return undefined;
  } catch (error) {
    return says(`${celError(error)} evaluating rule: ${rule.message ?? rule.rule}`);
  }
  return says(messageOf(rule, variables));
}

function messageOf(rule: Rule, variables: Record<string, unknown>): string {
  if (rule.messageExpression) {
    const program = programOf(rule.messageExpression, rule);
    try {
      const text = typeof program === 'string' ? undefined : program(variables);
      if (typeof text === 'string' && text.trim()) return text.trim();
    } catch {
      // Upstream falls back to the message as well.
    }
  }
  return rule.message?.trim() || `failed rule: ${rule.rule.trim()}`;
}
