// Regular expressions that users write (patterns of schemas, CEL's matches): compiled once, read as Go's RE2 does as far as
// JavaScript can, and never slow. Knows nothing of who asks.

/** Beyond ASCII a `.` must stand for a whole character, which takes the flag that only the backtracking engine knows. */
const PLAIN = /^[\x00-\x7f]*$/;
const NEEDS_UNICODE = /\\[pP]\{|\\u\{|[^\x00-\x7f]/;

const compiled = new Map<string, { plain: RegExp; unicode: RegExp | undefined } | undefined>();

let guarded = false;

/**
 * RE2 takes a time that grows with the text; JavaScript's engine can take for ever, unless it is told to change its mind.
 * Holds for every expression of the process from then on.
 */
export function guardPatterns(): void {
  if (guarded) return;
  guarded = true;
  // Loads a good deal: only when asked.
  process
    .getBuiltinModule('node:v8')
    .setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
}

function read(pattern: string, flags: string): RegExp | undefined {
  try {
    return new RegExp(pattern, flags);
  } catch {
    return undefined;
  }
}

/** The expression to use on `text`, looking for all matches; undefined when JavaScript cannot read the pattern. */
export function patternFor(pattern: string, text: string): RegExp | undefined {
  if (!compiled.has(pattern)) {
    guardPatterns();
    const unicode = read(pattern, 'gu');
    const plain = (NEEDS_UNICODE.test(pattern) ? undefined : read(pattern, 'g')) ?? unicode;
    compiled.set(pattern, plain && { plain, unicode });
  }
  const found = compiled.get(pattern);
  const expression = found && (PLAIN.test(text) ? found.plain : (found.unicode ?? found.plain));
  if (expression) expression.lastIndex = 0;
  return expression;
}
