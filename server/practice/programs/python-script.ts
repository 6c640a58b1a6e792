// A small part of Python: enough for the loops that print, sleep and end with which containers are tried out. What lies
// beyond it is refused by line, never guessed at. Knows no container.

export interface PythonWorld {
  print(text: string): void;
  printError(text: string): void;
  env: Record<string, string>;
  hostname: string;
  /** Seconds. */
  sleep(seconds: number): Promise<void>;
  /** Lets others run; false when the script must stop. */
  go(): Promise<boolean>;
}

type Value = string | number | boolean | null;

/** The script ends here with this code. */
class Exit extends Error {
  readonly code: number;
  constructor(code: number) {
    super();
    this.code = code;
  }
}
class Unsupported extends Error {}
/** An error of Python's own, such as `KeyError: 'X'`. */
class PythonError extends Error {}

const MODULES = new Set(['os', 'socket', 'sys', 'time']);

interface Line {
  number: number;
  indent: number;
  text: string;
}

/** Runs a script; the value is its exit code. */
export async function runScript(source: string, world: PythonWorld): Promise<number> {
  const lines = linesOf(source);
  let at: Line | undefined;
  const names = new Map<string, Value>();

  async function block(from: number, indent: number): Promise<number> {
    let index = from;
    while (index < lines.length && lines[index]!.indent === indent) {
      const line = lines[index]!;
      at = line;
      const loop = /^(while True|while 1|for (\w+) in range\((.+)\)):$/.exec(line.text);
      if (!loop) {
        await statement(line.text);
        index++;
        continue;
      }
      const inner = lines[index + 1];
      if (!inner || inner.indent <= indent) throw new Unsupported();
      const times = loop[2] ? Number(evaluate(loop[3]!, names, world)) : Number.POSITIVE_INFINITY;
      for (let i = 0; i < times; i++) {
        if (loop[2]) names.set(loop[2], i);
        await block(index + 1, inner.indent);
        if (!(await world.go())) throw new Exit(143);
      }
      index++;
      while (index < lines.length && lines[index]!.indent > indent) index++;
    }
    if (index < lines.length && lines[index]!.indent > indent) {
      at = lines[index];
      throw new Unsupported();
    }
    return index;
  }

  async function statement(text: string): Promise<void> {
    const called = /^(print|time\.sleep|sys\.exit|exit|quit)\((.*)\)$/.exec(text);
    const imported = /^(?:import|from) (.+?)(?: import .+)?$/.exec(text);
    const raised = /^raise SystemExit(?:\((.*)\))?$/.exec(text);
    const assigned = /^(\w+) ?(\+?)= ?(?!=)(.+)$/.exec(text);
    if (text === 'pass') return;
    if (imported) {
      const strange = imported[1]!.split(',').some(m => !MODULES.has(m.trim()));
      if (strange || text.startsWith('from')) throw new Unsupported();
    } else if (raised) throw new Exit(exitCode(raised[1] ? evaluate(raised[1], names, world) : 0, world));
    else if (called?.[1] === 'print') print(argumentsOf(called[2]!));
    else if (called?.[1] === 'time.sleep') await world.sleep(Number(evaluate(called[2]!, names, world)));
    else if (called) throw new Exit(exitCode(called[2] ? evaluate(called[2], names, world) : 0, world));
    else if (assigned) {
      const value = evaluate(assigned[3]!, names, world);
      names.set(assigned[1]!, assigned[2] ? add(names.get(assigned[1]!) ?? null, value) : value);
    } else throw new Unsupported();
  }

  function print(args: string[]): void {
    const option = (name: string) => args.find(a => a.startsWith(`${name}=`))?.slice(name.length + 1);
    const end = option('end');
    const file = option('file');
    const plain = args.filter(a => !/^(end|file|flush|sep)=/.test(a));
    if ((file && !/^sys\.std(err|out)$/.test(file)) || option('sep')) throw new Unsupported();
    const shown = plain.map(a => show(evaluate(a, names, world))).join(' ');
    const text = shown + (end === undefined ? '\n' : show(evaluate(end, names, world)));
    if (file === 'sys.stderr') world.printError(text);
    else world.print(text);
  }

  try {
    await block(0, 0);
    return 0;
  } catch (error) {
    if (error instanceof Exit) return error.code;
    if (error instanceof PythonError) {
      world.printError(
        `Traceback (most recent call last):\n  File "<string>", line ${at?.number}, in <module>\n${error.message}\n`,
      );
      return 1;
    }
    if (!(error instanceof Unsupported)) throw error;
    world.printError(
      `python: this practice cluster runs only a small part of Python (print, variables, os.environ, time.sleep, sys.exit, while True, for in range); line ${at?.number} is beyond it: ${at?.text}\n`,
    );
    return 1;
  }
}

function exitCode(value: Value, world: PythonWorld): number {
  if (typeof value === 'number') return value & 255;
  if (value === null) return 0;
  world.printError(`${show(value)}\n`);
  return 1;
}

/** Statements one a line; `a; b` counts as two. Comments and empty lines are dropped. */
function linesOf(source: string): Line[] {
  return source.split('\n').flatMap((raw, index) => {
    const indent = raw.length - raw.trimStart().length;
    return split(raw.trim(), ';')
      .map(part => part.trim())
      .filter(part => part !== '' && !part.startsWith('#'))
      .map(text => ({ number: index + 1, indent, text }));
  });
}

/** Splits where `by` stands outside of quotes and brackets. */
function split(text: string, by: string): string[] {
  const parts = [''];
  let quote = '';
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quote) {
      if (c === '\\') {
        parts[parts.length - 1] += c + (text[++i] ?? '');
        continue;
      }
      if (c === quote) quote = '';
    } else if (c === '"' || c === "'") quote = c;
    else if ('([{'.includes(c)) depth++;
    else if (')]}'.includes(c)) depth--;
    if (!quote && depth === 0 && c === by) parts.push('');
    else parts[parts.length - 1] += c;
  }
  return parts;
}

const argumentsOf = (text: string) =>
  split(text, ',')
    .map(a => a.trim())
    .filter(a => a !== '');

function evaluate(text: string, names: ReadonlyMap<string, Value>, world: PythonWorld): Value {
  const sum = split(text.trim(), '+');
  if (sum.length > 1) return sum.map(part => evaluate(part, names, world)).reduce(add);
  const term = sum[0]!.trim();
  if (/^-?\d+(\.\d+)?$/.test(term)) return Number(term);
  const literal = /^(f?)(["'])((?:\\.|(?!\2).)*)\2$/s.exec(term);
  if (literal) {
    const plain = literal[3]!.replace(/\\(.)/g, (_, c) => ({ n: '\n', t: '\t' })[c as string] ?? c);
    return literal[1]
      ? plain.replace(/\{([^{}]+)\}/g, (_, inner) => show(evaluate(inner, names, world)))
      : plain;
  }
  const call =
    /^(os\.environ\.get|os\.getenv|os\.environ|str|int|socket\.gethostname|os\.getpid|len)(?:\((.*)\)|\[(.*)\])$/s.exec(
      term,
    );
  if (call) {
    const args = argumentsOf(call[2] ?? call[3] ?? '').map(a => evaluate(a, names, world));
    const first = args[0] ?? null;
    if (call[1] === 'os.environ') {
      if (call[3] === undefined) throw new Unsupported();
      const found = world.env[String(first)];
      if (found === undefined) throw new PythonError(`KeyError: '${first}'`);
      return found;
    }
    if (call[1] === 'os.environ.get' || call[1] === 'os.getenv')
      return world.env[String(first)] ?? args[1] ?? null;
    if (call[1] === 'socket.gethostname') return world.hostname;
    if (call[1] === 'os.getpid') return 1;
    if (call[1] === 'len' && typeof first === 'string') return first.length;
    if (call[1] === 'int' && /^-?\d+$/.test(String(first))) return Number(first);
    if (call[1] === 'str') return show(first);
    throw new Unsupported();
  }
  if (term === 'True' || term === 'False') return term === 'True';
  if (term === 'None') return null;
  if (/^[A-Za-z_]\w*$/.test(term)) {
    const found = names.get(term);
    if (found === undefined) throw new PythonError(`NameError: name '${term}' is not defined`);
    return found;
  }
  throw new Unsupported();
}

function add(a: Value, b: Value): Value {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (typeof a === 'string' && typeof b === 'string') return a + b;
  if (typeof a === 'string')
    throw new PythonError(`TypeError: can only concatenate str (not "${typeOf(b)}") to str`);
  throw new PythonError(`TypeError: unsupported operand type(s) for +: '${typeOf(a)}' and '${typeOf(b)}'`);
}

const typeOf = (v: Value) =>
  v === null
    ? 'NoneType'
    : typeof v === 'string'
      ? 'str'
      : typeof v === 'boolean'
        ? 'bool'
        : Number.isInteger(v)
          ? 'int'
          : 'float';
const show = (v: Value) => (v === null ? 'None' : v === true ? 'True' : v === false ? 'False' : String(v));
