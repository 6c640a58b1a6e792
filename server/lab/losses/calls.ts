// What a line of a solution would change, read from its words: calls of kubectl that write, and files it writes. Runs nothing.

import { segments } from '../../check/index.ts';

export interface Calls {
  /** Arguments of each kubectl that changes the cluster. */
  kubectl: string[][];
  /** Files that are written anew, as typed. */
  files: string[];
}

const WRITES = new Set([
  'annotate',
  'apply',
  'autoscale',
  'create',
  'delete',
  'expose',
  'label',
  'patch',
  'replace',
  'run',
  'scale',
  'set',
]);

export function callsOf(line: string): Calls {
  const calls: Calls = { kubectl: [], files: [] };
  for (const words of segments(line)) {
    const kept: string[] = [];
    for (let at = 0; at < words.length; at++) {
      const word = words[at] as string;
      // `>>` and `2>` lose nothing of a file that was there, or are not what the learner keeps.
      const target = /^1?>([^>&].*)?$/.exec(word);
      if (!target) {
        if (!/^\d*>/.test(word)) kept.push(word);
      } else calls.files.push(target[1] ?? words[++at] ?? '');
    }
    const [program, ...args] = kept;
    if (program === 'tee' && !args.includes('-a'))
      calls.files.push(...args.filter(arg => !arg.startsWith('-')));
    if (program !== 'kubectl') continue;
    const verb = verbOf(args);
    if (WRITES.has(verb) || (verb === 'rollout' && args.includes('undo'))) calls.kubectl.push(args);
  }
  return calls;
}

/** `delete` of `-n shop delete pod web`. */
export function verbOf(args: readonly string[]): string {
  return args.find((arg, at) => !arg.startsWith('-') && !/^(-n|--namespace)$/.test(args[at - 1] ?? '')) ?? '';
}
