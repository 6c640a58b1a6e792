// Label selectors, as text (`app=web,tier in (a, b),!old`) and as LabelSelector objects: parses with upstream's words
// (apimachinery pkg/labels) and matches. Knows no objects, only label maps.

import { labelValueError, qualifiedNameErrors } from '../names.ts';

export type Labels = Readonly<Record<string, string>> | undefined;

export type LabelOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';

export interface LabelRequirement {
  key: string;
  operator: LabelOperator;
  values: readonly string[];
}

export interface LabelSelectorMatcher {
  requirements: readonly LabelRequirement[];
  matches(labels: Labels): boolean;
  /** Upstream's canonical text. */
  toString(): string;
}

/** A selector that cannot be read; the message is upstream's. */
export class SelectorError extends Error {}

type Token = { kind: 'identifier' | 'symbol' | 'end'; text: string };

const SYMBOLS = ['==', '!=', '=', '!', '(', ')', ',', '<', '>'];
const SYMBOL_START = new Set('=!(),<>');

function lex(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text[at] as string;
    if (/[ \t\r\n]/.test(char)) {
      at++;
      continue;
    }
    if (SYMBOL_START.has(char)) {
      const symbol = SYMBOLS.find(s => text.startsWith(s, at)) as string;
      tokens.push({ kind: 'symbol', text: symbol });
      at += symbol.length;
      continue;
    }
    let end = at;
    while (
      end < text.length &&
      !/[ \t\r\n]/.test(text[end] as string) &&
      !SYMBOL_START.has(text[end] as string)
    )
      end++;
    tokens.push({ kind: 'identifier', text: text.slice(at, end) });
    at = end;
  }
  tokens.push({ kind: 'end', text: '' });
  return tokens;
}

const fail = (message: string): never => {
  throw new SelectorError(message);
};

const integer = (text: string | undefined): bigint | undefined =>
  text !== undefined && /^[+-]?\d{1,19}$/.test(text) ? BigInt(text) : undefined;

function checkRequirement(requirement: LabelRequirement): LabelRequirement {
  const { key, operator, values } = requirement;
  const found: string[] = [];
  const keyErrors = qualifiedNameErrors(key);
  if (keyErrors.length > 0) found.push(`key: Invalid value: ${JSON.stringify(key)}: ${keyErrors.join('; ')}`);
  if (operator === 'gt' || operator === 'lt') {
    const value = values[0];
    if (integer(value) === undefined)
      found.push(
        `values[0]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`,
      );
  }
  for (const [i, value] of values.entries()) {
    const error = labelValueError(value);
    if (error) found.push(`values[${i}][${key}]: Invalid value: ${JSON.stringify(value)}: ${error}`);
  }
  if (found.length > 0) fail(found.length === 1 ? (found[0] as string) : `[${found.join(', ')}]`);
  return requirement;
}

class Parser {
  private readonly tokens: Token[];
  private at = 0;
  constructor(text: string) {
    this.tokens = lex(text);
  }

  private peek(ahead = 0): Token {
    return this.tokens[Math.min(this.at + ahead, this.tokens.length - 1)] as Token;
  }
  private take(): Token {
    const token = this.peek();
    this.at++;
    return token;
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    for (;;) {
      const token = this.peek();
      if (token.kind === 'end') return requirements;
      if (token.kind !== 'identifier' && token.text !== '!')
        fail(`found '${token.text}', expected: !, identifier, or 'end of string'`);
      try {
        requirements.push(this.requirement());
      } catch (error) {
        fail(`unable to parse requirement: ${(error as Error).message}`);
      }
      const next = this.take();
      if (next.kind === 'end') return requirements;
      if (next.text !== ',') fail(`found '${next.text}', expected: ',' or 'end of string'`);
      const after = this.peek();
      if (after.kind !== 'identifier' && after.text !== '!')
        fail(`found '${after.text}', expected: identifier after ','`);
    }
  }

  private requirement(): LabelRequirement {
    let absent = false;
    if (this.peek().text === '!' && this.peek().kind === 'symbol') {
      this.take();
      absent = true;
    }
    const key = this.take();
    if (key.kind !== 'identifier') fail(`found '${key.text}', expected: identifier`);
    const keyErrors = qualifiedNameErrors(key.text);
    if (keyErrors.length > 0)
      fail(`key: Invalid value: ${JSON.stringify(key.text)}: ${keyErrors.join('; ')}`);
    const next = this.peek();
    if (next.kind === 'end' || (next.kind === 'symbol' && next.text === ',')) {
      return { key: key.text, operator: absent ? '!' : 'exists', values: [] };
    }
    if (absent) fail(`found '${next.text}', expected: ',' or 'end of string'`);
    return checkRequirement(this.comparison(key.text));
  }

  private comparison(key: string): LabelRequirement {
    const token = this.take();
    if (token.kind === 'identifier' && (token.text === 'in' || token.text === 'notin'))
      return { key, operator: token.text, values: this.set() };
    if (token.kind === 'symbol' && ['=', '==', '!='].includes(token.text))
      return { key, operator: token.text as LabelOperator, values: [this.exact()] };
    if (token.kind === 'symbol' && (token.text === '<' || token.text === '>'))
      return { key, operator: token.text === '>' ? 'gt' : 'lt', values: [this.exact()] };
    return fail(`found '${token.text}', expected: in, notin, =, ==, !=, gt, lt`);
  }

  private exact(): string {
    const token = this.peek();
    if (token.kind === 'end' || token.text === ',') return '';
    this.take();
    if (token.kind !== 'identifier') fail(`found '${token.text}', expected: identifier`);
    return token.text;
  }

  private set(): string[] {
    const open = this.take();
    if (open.text !== '(') fail(`found '${open.text}' expected: '('`);
    const values = new Set<string>();
    let wantsValue = true;
    for (;;) {
      const token = this.take();
      if (token.kind === 'identifier') {
        if (!wantsValue) fail(`found '${token.text}', expected: ',' or ')'`);
        values.add(token.text);
        wantsValue = false;
      } else if (token.text === ',') {
        if (wantsValue) values.add('');
        wantsValue = true;
      } else if (token.text === ')') {
        if (wantsValue) values.add('');
        return [...values].sort();
      } else fail(`found '${token.text}', expected: ',', ')' or identifier`);
    }
  }
}

function meets({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const has = labels !== undefined && Object.hasOwn(labels, key);
  const value = has ? labels[key] : undefined;
  switch (operator) {
    case '=':
    case '==':
    case 'in':
      return has && values.includes(value as string);
    case '!=':
    case 'notin':
      return !has || !values.includes(value as string);
    case 'exists':
      return has;
    case '!':
      return !has;
    case 'gt':
    case 'lt': {
      const left = integer(value);
      const right = integer(values[0]);
      if (left === undefined || right === undefined) return false;
      return operator === 'gt' ? left > right : left < right;
    }
  }
}

function describe({ key, operator, values }: LabelRequirement): string {
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${values.join(',')})`;
    case 'gt':
      return `${key}>${values[0]}`;
    case 'lt':
      return `${key}<${values[0]}`;
    default:
      return `${key}${operator}${values[0]}`;
  }
}

function matcher(requirements: readonly LabelRequirement[]): LabelSelectorMatcher {
  return {
    requirements,
    matches: labels => requirements.every(requirement => meets(requirement, labels)),
    toString: () => requirements.map(describe).join(','),
  };
}

/** Throws a SelectorError; an empty text selects everything. */
export function parseLabelSelector(text: string): LabelSelectorMatcher {
  const requirements = new Parser(text).parse();
  return matcher([...requirements].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)));
}

/** A LabelSelector object as it stands in specs. */
export interface LabelSelectorObject {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

const OBJECT_OPERATORS: Record<string, LabelOperator> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};

/** An absent selector selects nothing, an empty one everything (upstream LabelSelectorAsSelector). */
export function labelSelectorFrom(selector: LabelSelectorObject | undefined | null): LabelSelectorMatcher {
  if (!selector) return { requirements: [], matches: () => false, toString: () => '' };
  const requirements: LabelRequirement[] = Object.keys(selector.matchLabels ?? {}).map(key => ({
    key,
    operator: '=',
    values: [selector.matchLabels?.[key] ?? ''],
  }));
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const known = OBJECT_OPERATORS[operator];
    if (!known) throw new SelectorError(`${JSON.stringify(operator)} is not a valid label selector operator`);
    requirements.push({ key, operator: known, values: [...values].sort() });
  }
  return matcher(requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)));
}

export function labelSelectorMatches(
  selector: LabelSelectorObject | undefined | null,
  labels: Labels,
): boolean {
  return labelSelectorFrom(selector).matches(labels);
}

/** `app=web,tier in (a,b)`, as tables and descriptions print a LabelSelector; `<none>` when empty. */
export function formatLabelSelector(selector: LabelSelectorObject | undefined | null): string {
  if (!selector) return '<none>';
  try {
    return labelSelectorFrom(selector).toString() || '<none>';
  } catch {
    return '<error>';
  }
}

/** `app=web,tier=a`, sorted: how a plain map selector is printed. */
export function formatLabels(labels: Labels): string {
  const keys = Object.keys(labels ?? {}).sort();
  return keys.length === 0 ? '<none>' : keys.map(key => `${key}=${labels?.[key]}`).join(',');
}
