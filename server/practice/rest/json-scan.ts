// Walks JSON text once, without building values: finds keys that occur twice, bounds nesting, and says what is wrong with
// broken text in the words of Go's encoding/json. Knows nothing of Kubernetes.

/** encoding/json refuses deeper text. */
export const MAX_DEPTH = 10000;

export interface JsonScan {
  /** Go's message, when the text is not JSON. */
  error?: string;
  /** Dotted paths of keys that occur more than once in their object: `spec.containers[0].image`. */
  duplicates: string[];
}

interface Frame {
  keys?: Set<string>;
  /** Position in an array. */
  index: number;
  key: string;
}

const SPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);
const LITERALS: Record<string, string> = { t: 'true', f: 'false', n: 'null' };

/** Iterative on purpose: hostile nesting must not reach the call stack. */
export function scanJson(text: string): JsonScan {
  const duplicates: string[] = [];
  const stack: Frame[] = [];
  let at = 0;

  const fail = (context: string): JsonScan => {
    const char = text[at];
    if (char === undefined) return { error: 'unexpected end of JSON input', duplicates };
    return { error: `invalid character ${quoteChar(text, at)} ${context}`, duplicates };
  };
  const skip = () => {
    while (SPACE.has(text.charCodeAt(at))) at++;
  };
  const path = (key: string) => {
    let result = '';
    for (const frame of stack.slice(0, -1)) {
      result += frame.keys ? `${result === '' ? '' : '.'}${frame.key}` : `[${frame.index}]`;
    }
    return `${result}${result === '' ? '' : '.'}${key}`;
  };

  /** Reads the string that opens at `at`; undefined with `at` on the offender when it is broken. */
  const string = (): { raw?: string; context?: string } => {
    const start = at++;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === 0x22) {
        at++;
        return { raw: text.slice(start, at) };
      }
      if (Number.isNaN(code) || code < 0x20) return { context: 'in string literal' };
      if (code === 0x5c) {
        at++;
        const escaped = text[at];
        if (escaped === 'u') {
          for (let i = 1; i <= 4; i++) {
            at++;
            if (!/[0-9a-fA-F]/.test(text[at] ?? ''))
              return { context: 'in \\u hexadecimal character escape' };
          }
        } else if (!escaped || !'bfnrt\\/"'.includes(escaped)) return { context: 'in string escape code' };
      }
      at++;
    }
  };

  for (;;) {
    // A value.
    skip();
    const char = text[at];
    let closed = false;
    if (char === '{' || char === '[') {
      if (stack.length >= MAX_DEPTH) return { error: 'exceeded max depth', duplicates };
      stack.push(char === '{' ? { keys: new Set(), index: 0, key: '' } : { index: 0, key: '' });
      at++;
      skip();
      if (text[at] === (char === '{' ? '}' : ']')) {
        at++;
        stack.pop();
        closed = true;
      } else if (char === '[') continue;
    } else {
      if (char === '"') {
        const result = string();
        if (result.context) return fail(result.context);
      } else if (char === '-' || (char !== undefined && char >= '0' && char <= '9')) {
        const context = number();
        if (context) return fail(context);
      } else if (char !== undefined && LITERALS[char]) {
        const literal = LITERALS[char] ?? '';
        for (let i = 1; i < literal.length; i++) {
          at++;
          if (text[at] !== literal[i]) return fail(`in literal ${literal} (expecting '${literal[i]}')`);
        }
        at++;
      } else return fail('looking for beginning of value');
      closed = true;
    }

    // After a value, close what ends here; then the next key or element.
    for (;;) {
      const frame = stack.at(-1);
      if (!frame) {
        skip();
        return at < text.length ? fail('after top-level value') : { duplicates };
      }
      if (closed) {
        skip();
        const end = text[at];
        if (end === ',') {
          at++;
          frame.index++;
          skip();
        } else if (end === (frame.keys ? '}' : ']')) {
          at++;
          stack.pop();
          continue;
        } else return fail(frame.keys ? 'after object key:value pair' : 'after array element');
      }
      if (frame.keys) {
        if (text[at] !== '"') return fail('looking for beginning of object key string');
        const result = string();
        if (result.raw === undefined) return fail(result.context ?? 'in string literal');
        const key = result.raw.includes('\\') ? (JSON.parse(result.raw) as string) : result.raw.slice(1, -1);
        if (frame.keys.has(key)) duplicates.push(path(key));
        frame.keys.add(key);
        frame.key = key;
        skip();
        if (text[at] !== ':') return fail('after object key');
        at++;
      }
      break;
    }
  }

  function number(): string | undefined {
    const digits = () => {
      const start = at;
      while (text[at] !== undefined && (text[at] as string) >= '0' && (text[at] as string) <= '9') at++;
      return at > start;
    };
    if (text[at] === '-') {
      at++;
      if (!/[0-9]/.test(text[at] ?? '')) return 'in numeric literal';
    }
    if (text[at] === '0') at++;
    else digits();
    if (text[at] === '.') {
      at++;
      if (!digits()) return 'after decimal point in numeric literal';
    }
    if (text[at] === 'e' || text[at] === 'E') {
      at++;
      if (text[at] === '+' || text[at] === '-') at++;
      if (!digits()) return 'in exponent of numeric literal';
    }
    return undefined;
  }
}

/** Go's quoteChar: `'x'`, `'\''`, `'"'`, control characters escaped. */
function quoteChar(text: string, at: number): string {
  const char = String.fromCodePoint(text.codePointAt(at) ?? 0);
  if (char === "'") return `'\\''`;
  if (char === '"') return `'"'`;
  const quoted = JSON.stringify(char).slice(1, -1);
  return `'${quoted.startsWith('\\u00') ? `\\x${quoted.slice(4)}` : quoted}'`;
}
