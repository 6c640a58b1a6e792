// Regular expressions for lab authors, run in time linear to the text: a set of states, never backtracking. Knows no JavaScript RegExp.
//
// Understood: literals, . [] [^] \d \w \s \D \W \S \n \t \b, ^ $ (line ends), ( ) (?: ), |, * + ? {m} {m,} {m,n}, and their
// lazy forms (which find the same). A leading (?i) ignores case. Look-around and back references are refused.

/** Longer patterns, and repeats that unfold to more states, are refused. */
const MAX_PATTERN = 500;
const MAX_STATES = 2000;
/** Only this much of a text is searched, its end: what a command printed last counts most. */
const MAX_TEXT = 64 * 1024;

type Step =
  | { op: 'char'; fits: (code: number) => boolean }
  | { op: 'split'; next: number[] }
  | { op: 'assert'; at: 'start' | 'end' | 'word' }
  | { op: 'match' };

type Node =
  | { kind: 'char'; fits: (code: number) => boolean }
  | { kind: 'assert'; at: 'start' | 'end' | 'word' }
  | { kind: 'sequence'; parts: Node[] }
  | { kind: 'choice'; parts: Node[] }
  | { kind: 'repeat'; part: Node; min: number; max: number };

/** Why a pattern cannot be used, or undefined when it can. */
export function patternProblem(pattern: string): string | undefined {
  try {
    compile(pattern);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const compiled = new Map<string, Step[]>();
const CACHE_LIMIT = 500;

/** Whether `pattern` is found anywhere in `text`; false when the pattern cannot be used. */
export function searchPattern(pattern: string, text: string): boolean {
  let program = compiled.get(pattern);
  if (!program) {
    try {
      program = compile(pattern);
    } catch {
      return false;
    }
    if (compiled.size >= CACHE_LIMIT) compiled.clear();
    compiled.set(pattern, program);
  }
  return run(program, text.length > MAX_TEXT ? text.slice(-MAX_TEXT) : text);
}

function run(program: Step[], text: string): boolean {
  let current: number[] = [];
  for (let index = 0; index <= text.length; index++) {
    const marks = new Uint8Array(program.length);
    const ready: number[] = [];
    // Unanchored: a match may begin at every place.
    const pending = [...current, 0];
    while (pending.length > 0) {
      const at = pending.pop() as number;
      if (marks[at]) continue;
      marks[at] = 1;
      const step = program[at] as Step;
      if (step.op === 'match') return true;
      if (step.op === 'split') pending.push(...step.next);
      else if (step.op === 'assert') {
        if (holds(step.at, text, index)) pending.push(at + 1);
      } else ready.push(at);
    }
    const code = text.charCodeAt(index);
    current =
      index < text.length
        ? ready.filter(at => (program[at] as { fits: (c: number) => boolean }).fits(code)).map(at => at + 1)
        : [];
  }
  return false;
}

function holds(at: 'start' | 'end' | 'word', text: string, index: number): boolean {
  if (at === 'start') return index === 0 || text[index - 1] === '\n';
  if (at === 'end') return index === text.length || text[index] === '\n';
  return isWord(text.charCodeAt(index - 1)) !== isWord(text.charCodeAt(index));
}

const isDigit = (c: number) => c >= 48 && c <= 57;
const isWord = (c: number) => isDigit(c) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c === 95;
const isSpace = (c: number) => c === 32 || (c >= 9 && c <= 13) || c === 0xa0 || c === 0x3000;
const CLASSES: Record<string, (c: number) => boolean> = {
  d: isDigit,
  w: isWord,
  s: isSpace,
  D: c => !isDigit(c),
  W: c => !isWord(c),
  S: c => !isSpace(c),
};
const CONTROL: Record<string, number> = { n: 10, t: 9, r: 13 };

function compile(pattern: string): Step[] {
  if (pattern.length > MAX_PATTERN) throw new Error(`the pattern is longer than ${MAX_PATTERN} characters`);
  const ignoreCase = pattern.startsWith('(?i)');
  const parser = new Parser(ignoreCase ? pattern.slice(4) : pattern, ignoreCase);
  const tree = parser.choice();
  if (!parser.done()) throw new Error(`there is a ) too many in ${pattern}`);
  const steps: Step[] = [];
  const emit = (step: Step) => {
    if (steps.length >= MAX_STATES) throw new Error('the pattern repeats too much');
    return steps.push(step) - 1;
  };
  const write = (node: Node): void => {
    if (node.kind === 'char') emit({ op: 'char', fits: node.fits });
    else if (node.kind === 'assert') emit({ op: 'assert', at: node.at });
    else if (node.kind === 'sequence') node.parts.forEach(write);
    else if (node.kind === 'choice') {
      const ends: number[] = [];
      const split = { op: 'split' as const, next: [] as number[] };
      emit(split);
      for (const part of node.parts) {
        split.next.push(steps.length);
        write(part);
        ends.push(emit({ op: 'split', next: [] }));
      }
      for (const end of ends) steps[end] = { op: 'split', next: [steps.length] };
    } else {
      for (let count = 0; count < node.min; count++) write(node.part);
      if (node.max === Number.POSITIVE_INFINITY) {
        const split = { op: 'split' as const, next: [] as number[] };
        const start = emit(split);
        split.next.push(start + 1);
        write(node.part);
        emit({ op: 'split', next: [start] });
        split.next.push(steps.length);
      } else {
        const splits: { op: 'split'; next: number[] }[] = [];
        for (let count = node.min; count < node.max; count++) {
          const split = { op: 'split' as const, next: [] as number[] };
          split.next.push(emit(split) + 1);
          splits.push(split);
          write(node.part);
        }
        for (const split of splits) split.next.push(steps.length);
      }
    }
  };
  write(tree);
  emit({ op: 'match' });
  return steps;
}

class Parser {
  private at = 0;
  private readonly text: string;
  private readonly ignoreCase: boolean;

  constructor(text: string, ignoreCase: boolean) {
    this.text = text;
    this.ignoreCase = ignoreCase;
  }

  done(): boolean {
    return this.at >= this.text.length;
  }

  choice(): Node {
    const parts = [this.sequence()];
    while (this.take('|')) parts.push(this.sequence());
    return parts.length === 1 ? (parts[0] as Node) : { kind: 'choice', parts };
  }

  private sequence(): Node {
    const parts: Node[] = [];
    while (!this.done() && this.peek() !== '|' && this.peek() !== ')') parts.push(this.repeat());
    return { kind: 'sequence', parts };
  }

  private repeat(): Node {
    const part = this.atom();
    const bounds = this.bounds();
    if (!bounds) return part;
    if (part.kind === 'assert') throw new Error(`nothing to repeat in ${this.text}`);
    this.take('?');
    if (this.bounds()) throw new Error(`two repeats follow each other in ${this.text}`);
    return { kind: 'repeat', part, ...bounds };
  }

  private bounds(): { min: number; max: number } | undefined {
    if (this.take('*')) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (this.take('+')) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (this.take('?')) return { min: 0, max: 1 };
    const braces = /^\{(\d{1,3})(,(\d{0,3}))?\}/.exec(this.text.slice(this.at));
    if (!braces) return undefined;
    this.at += braces[0].length;
    const min = Number(braces[1]);
    const max = !braces[2] ? min : braces[3] ? Number(braces[3]) : Number.POSITIVE_INFINITY;
    if (max < min) throw new Error(`the repeat ${braces[0]} has its bounds the wrong way round`);
    return { min, max };
  }

  private atom(): Node {
    const char = this.next();
    switch (char) {
      case '(': {
        if (this.take('?') && !this.take(':'))
          throw new Error(`only (?: ) groups are understood, in ${this.text}`);
        const inside = this.choice();
        if (!this.take(')')) throw new Error(`a ) is missing in ${this.text}`);
        return inside;
      }
      case '[':
        return { kind: 'char', fits: this.set() };
      case '.':
        return { kind: 'char', fits: code => code !== 10 };
      case '^':
        return { kind: 'assert', at: 'start' };
      case '$':
        return { kind: 'assert', at: 'end' };
      case '*':
      case '+':
      case '?':
        throw new Error(`nothing to repeat before ${char} in ${this.text}`);
      case '\\':
        return this.escape();
      default:
        return { kind: 'char', fits: this.one(char.charCodeAt(0)) };
    }
  }

  private escape(): Node {
    const char = this.next();
    if (char === 'b') return { kind: 'assert', at: 'word' };
    const fits = CLASSES[char];
    if (fits) return { kind: 'char', fits };
    return { kind: 'char', fits: this.one(this.literal(char)) };
  }

  private literal(char: string): number {
    if (CONTROL[char] !== undefined) return CONTROL[char];
    if (/[A-Za-z0-9]/.test(char)) throw new Error(`\\${char} is not understood in ${this.text}`);
    return char.charCodeAt(0);
  }

  private set(): (code: number) => boolean {
    const negated = this.take('^');
    const tests: ((code: number) => boolean)[] = [];
    for (let first = true; first || this.peek() !== ']'; first = false) {
      const low = this.member(tests);
      if (low === undefined) continue;
      if (this.peek() === '-' && this.text[this.at + 1] !== ']') {
        this.at++;
        const high = this.member(tests);
        if (high === undefined || high < low)
          throw new Error(`a range in [] is the wrong way round in ${this.text}`);
        tests.push(this.range(low, high));
      } else tests.push(this.one(low));
    }
    this.at++;
    const fits = (code: number) => tests.some(test => test(code));
    return negated ? code => !fits(code) : fits;
  }

  private member(tests: ((code: number) => boolean)[]): number | undefined {
    const char = this.next();
    if (char !== '\\') return char.charCodeAt(0);
    const escaped = this.next();
    const fits = CLASSES[escaped];
    if (!fits) return this.literal(escaped);
    tests.push(fits);
    return undefined;
  }

  private one(wanted: number): (code: number) => boolean {
    return this.range(wanted, wanted);
  }

  private range(low: number, high: number): (code: number) => boolean {
    const inside = (code: number) => code >= low && code <= high;
    return this.ignoreCase ? code => inside(lower(code)) || inside(upper(code)) || inside(code) : inside;
  }

  private peek(): string {
    return this.text[this.at] ?? '';
  }

  private next(): string {
    if (this.done()) throw new Error(`${this.text} ends too early`);
    return this.text[this.at++] as string;
  }

  private take(char: string): boolean {
    if (this.text[this.at] !== char) return false;
    this.at++;
    return true;
  }
}

const lower = (code: number) => (code >= 65 && code <= 90 ? code + 32 : code);
const upper = (code: number) => (code >= 97 && code <= 122 ? code - 32 : code);
