// Rewrites a script so that what it prints appears while it runs: just-bash hands output over only when a whole script
// ends, so every command gets its own redirection to a path that is output. Loops get a tick, so that none can stall the
// machine. Knows the syntax tree, not how anything runs.

import { parse, type ScriptNode, type StatementNode, serialize } from 'just-bash';
import { ERR, OUT } from './file-system.ts';

/** Backgrounded statements, by the number their `__bg` call carries. */
export interface Instrumented {
  script: string;
  background: string[];
}

interface Context {
  /** What this statement prints goes to the program's own output (not captured, not into a file). */
  out: boolean;
  err: boolean;
}

type Node = any;

const QUIET: Context = { out: false, err: false };

const literal = (value: string): Node => ({ type: 'Word', parts: [{ type: 'Literal', value }] });
const appendTo = (path: string, fd: number | null): Node => ({
  type: 'Redirection',
  fd,
  operator: '>>',
  target: literal(path),
});
const simple = (...words: string[]): Node => ({
  type: 'SimpleCommand',
  name: literal(words[0]!),
  args: words.slice(1).map(literal),
  assignments: [],
  redirections: [],
});
const statement = (commands: Node[], operators: string[] = []): Node => ({
  type: 'Statement',
  pipelines: commands.map(command => ({
    type: 'Pipeline',
    commands: [command],
    negated: false,
    timed: false,
    timePosix: false,
  })),
  operators,
  background: false,
});
/** Lets others run, and runs a trap that is due. */
const tick = (): Node => {
  const evaluate = simple('eval');
  evaluate.args = [
    {
      type: 'Word',
      parts: [
        {
          type: 'DoubleQuoted',
          parts: [{ type: 'ParameterExpansion', parameter: '__due', operation: null }],
        },
      ],
    },
  ];
  return statement([simple('__tick'), evaluate], ['||']);
};

/** Builtins of ours that the library lacks. */
const RENAMED: Record<string, string> = { trap: '__trap', wait: '__wait', ulimit: '__ulimit' };
const SHELLS = new Set(['sh', 'bash', 'ash', '/bin/sh', '/bin/bash', '/bin/ash', '/usr/bin/bash']);

const plainWord = (word: Node): string | undefined =>
  word?.parts?.length === 1 && word.parts[0].type === 'Literal' ? word.parts[0].value : undefined;
const nameOf = (command: Node): string | undefined => plainWord(command.name);

const redirectsOutput = (command: Node) =>
  (command.redirections ?? []).some(
    (r: Node) => r.operator.startsWith('>') && (r.fd === null || r.fd === undefined || r.fd === 1),
  );
const discardsOutput = (command: Node) =>
  command.redirections.some((r: Node) => r.operator.startsWith('>') && plainWord(r.target) === '/dev/null');
const redirectsErrors = (command: Node) =>
  (command.redirections ?? []).some(
    (r: Node) => r.operator.startsWith('&>') || (r.operator.startsWith('>') && r.fd === 2),
  );

/** Where opened files wait for their place; scripts use small numbers. */
const FIRST_SPARE_FD = 60;

/**
 * `> file` becomes `60> file >&60`. The library gives a whole script up when a file for one of the first three cannot be
 * opened; for the others it says so, and the script goes on with the next command.
 */
function openedAside(redirections: readonly Node[]): Node[] {
  return redirections.flatMap((r: Node, index: number) => {
    const word = plainWord(r.target);
    const both =
      r.operator.startsWith('&>') || (r.operator === '>&' && word !== undefined && !/^(\d+-?|-)$/.test(word));
    const opens = both || ['>', '>>', '>|'].includes(r.operator);
    if (!opens || r.fdVariable || (r.fd ?? 1) > 2 || word?.startsWith('/dev/')) return [r];
    const fd = FIRST_SPARE_FD + index;
    const operator = r.operator.endsWith('>>') ? '>>' : both ? '>' : r.operator;
    const from = (to: number): Node => ({ ...r, fd: to, operator: '>&', target: literal(String(fd)) });
    const targets = both && (r.fd ?? null) === null ? [1, 2] : [r.fd ?? 1];
    return [{ ...r, fd, operator }, ...targets.map(from)];
  });
}

export function instrument(source: string): Instrumented {
  const background: string[] = [];

  const script = (node: ScriptNode, context: Context): ScriptNode => ({
    ...node,
    statements: list(node.statements, context),
  });

  const list = (statements: readonly StatementNode[], context: Context): StatementNode[] =>
    statements.flatMap(s => stage(s, context));

  const stage = (node: Node, context: Context): Node[] => {
    if (node.background) {
      const detached = { ...node, background: false };
      delete detached.sourceText;
      const number = background.push(serialize({ type: 'Script', statements: [detached] } as ScriptNode)) - 1;
      return [statement([simple('__bg', String(number))])];
    }
    const pipelines = node.pipelines.map((p: Node) => pipeline(p, context));
    const copy = { ...node, pipelines };
    delete copy.sourceText;
    const only =
      node.pipelines.length === 1 && node.pipelines[0].commands.length === 1
        ? node.pipelines[0].commands[0]
        : undefined;
    const word = only?.type === 'SimpleCommand' ? nameOf(only) : undefined;
    if (word === 'exec' && only.args.length > 0) {
      const replaced = { ...only, name: only.args[0], args: only.args.slice(1) };
      const run = { ...copy, pipelines: [pipeline({ ...node.pipelines[0], commands: [replaced] }, context)] };
      const exit = simple('exit');
      exit.args = [
        { type: 'Word', parts: [{ type: 'ParameterExpansion', parameter: '?', operation: null }] },
      ];
      return [run, statement([exit])];
    }
    return word === 'sleep' || word === 'wait' ? [copy, tick()] : [copy];
  };

  const pipeline = (node: Node, context: Context): Node => {
    const last = node.commands.length - 1;
    return {
      ...node,
      commands: node.commands.map((c: Node, index: number) =>
        command(c, { out: context.out && index === last, err: context.err && !node.pipeStderr?.[index] }),
      ),
    };
  };

  const command = (node: Node, context: Context): Node => {
    if (node.type === 'SimpleCommand') return simpleCommand(node, context);
    if (node.type === 'FunctionDef') return { ...node, body: command(node.body, QUIET) };
    const opened = compound(node, context);
    return node.redirections ? { ...opened, redirections: openedAside(node.redirections) } : opened;
  };

  const compound = (node: Node, context: Context): Node => {
    const inner = {
      out: context.out && !redirectsOutput(node),
      err: context.err && !redirectsErrors(node),
    };
    switch (node.type) {
      case 'If':
        return {
          ...node,
          clauses: node.clauses.map((c: Node) => ({
            ...c,
            condition: list(c.condition, inner),
            body: list(c.body, inner),
          })),
          ...(node.elseBody ? { elseBody: list(node.elseBody, inner) } : {}),
        };
      case 'While':
      case 'Until':
        return { ...node, condition: list(node.condition, inner), body: [tick(), ...list(node.body, inner)] };
      case 'For':
      case 'CStyleFor':
        return { ...node, body: [tick(), ...list(node.body, inner)] };
      case 'Case':
        return { ...node, items: node.items.map((i: Node) => ({ ...i, body: list(i.body, inner) })) };
      case 'Subshell':
      case 'Group':
        return { ...node, body: list(node.body, inner) };
      default:
        return node;
    }
  };

  /** Scripts inside words ($(…), <(…)) are captured, but their loops must tick as well. */
  const words = (node: any): any => {
    if (Array.isArray(node)) return node.map(words);
    if (!node || typeof node !== 'object') return node;
    if ((node.type === 'CommandSubstitution' || node.type === 'ProcessSubstitution') && node.body)
      return { ...node, body: script(node.body, QUIET) };
    return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, words(value)]));
  };

  const simpleCommand = (original: Node, context: Context): Node => {
    const node = { ...original, args: words(original.args), assignments: words(original.assignments) };
    const redirections = [
      ...(context.out ? [appendTo(OUT, null)] : []),
      ...(context.err ? [appendTo(ERR, 2)] : []),
      ...openedAside(node.redirections),
    ];
    const name = nameOf(node);
    if (name === undefined)
      return node.name || node.redirections.length > 0 ? { ...node, redirections } : node;
    if (RENAMED[name]) return { ...node, name: literal(RENAMED[name]!), redirections };
    // It never ends by itself where nothing reads it but a log, or nobody at all.
    if (name === 'yes' && context.out && (!redirectsOutput(node) || discardsOutput(node))) {
      const to = literal(discardsOutput(node) ? '/dev/null' : '/dev/stdout');
      return { ...node, name: literal('__yes'), args: [to, ...node.args], redirections };
    }
    // A nested shell whose output is the program's own streams too.
    if (SHELLS.has(name) && context.out && !redirectsOutput(node))
      return { ...node, name: literal('__sh'), args: [literal(name), ...node.args], redirections };
    return { ...node, redirections };
  };

  const tree = script(parse(rename(source)), { out: true, err: true });
  return { script: serialize(tree), background };
}

/** `$!` is not kept by the library; the driver keeps it in a variable of its own. */
const rename = (source: string) => source.replace(/\$!(?![\w{])/g, '$__bgpid');
