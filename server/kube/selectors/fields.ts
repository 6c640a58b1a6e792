// Field selectors (`status.phase!=Running,spec.nodeName=a`): parses as apimachinery pkg/fields does. Which fields exist is
// the resource's business.

import { SelectorError } from './labels.ts';

export interface FieldRequirement {
  field: string;
  operator: '=' | '!=';
  value: string;
}

/** Splits at commas that no backslash protects. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === ',') {
      terms.push(text.slice(start, at));
      start = at + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function unescaped(value: string): string {
  let result = '';
  for (let at = 0; at < value.length; at++) {
    const char = value[at] as string;
    if (char === '\\') {
      const next = value[++at];
      if (next !== '\\' && next !== ',' && next !== '=')
        throw new SelectorError(
          `invalid field selector: invalid escape sequence: ${JSON.stringify(`\\${next ?? ''}`)}`,
        );
      result += next;
    } else if (char === '=' || char === ',') {
      throw new SelectorError(
        `invalid field selector: invalid value: unescaped character in ${JSON.stringify(value)}: ${char}`,
      );
    } else result += char;
  }
  return result;
}

/** Throws a SelectorError; an empty text selects everything. */
export function parseFieldSelector(text: string): FieldRequirement[] {
  const requirements: FieldRequirement[] = [];
  for (const term of splitTerms(text)) {
    if (term === '') continue;
    const match = /^((?:\\.|[^=!\\])*?)(!=|==|=)([\s\S]*)$/.exec(term);
    if (!match) throw new SelectorError(`invalid selector: '${text}'; can't understand '${term}'`);
    const [, field = '', operator, value = ''] = match;
    requirements.push({ field, operator: operator === '!=' ? '!=' : '=', value: unescaped(value) });
  }
  return requirements;
}
