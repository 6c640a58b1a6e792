// Reads a transcript as a specification: `$` lines are typed, the lines below are what must come, `[exit N]` how it must end.
// Knows no cluster and no kubectl of its own; commands run where it is told.

import assert from 'node:assert/strict';
import type { RunOptions, TestCluster } from './practice.ts';

/** Between two looks of `$~`, ms: kubectl at work takes a processor from what it waits for. */
const LOOK_AGAIN = 300;

interface Step {
  command: string;
  expected: string[];
  exit: number;
  retry: boolean;
}

/**
 * In expected lines `…` stands for any text within a line, and a line that is only `...` for any number of lines.
 * Runs of spaces are equal to each other, since columns are as wide as their widest cell.
 * A command may go on over several lines as a here-document (`<<'Y'` to `Y`).
 * `$~` instead of `$` types the command again until the words come (10 s at most): for what controllers still work on.
 */
export async function transcript(
  cluster: TestCluster,
  text: string,
  options: RunOptions = {},
): Promise<void> {
  for (const step of parse(text)) {
    const deadline = Date.now() + 10_000;
    for (;;) {
      const output = await cluster.sh(step.command, options);
      const actual = output.text.replace(/\n+$/, '').split('\n');
      const problem =
        difference(step.expected, actual) ?? (output.code === step.exit ? undefined : `exit ${output.code}`);
      if (problem === undefined) break;
      if (step.retry && Date.now() < deadline) {
        await new Promise(resolve => setTimeout(resolve, LOOK_AGAIN));
        continue;
      }
      assert.fail(
        [
          `$ ${step.command}`,
          '--- expected',
          ...step.expected,
          `[exit ${step.exit}]`,
          '--- came',
          ...actual,
          `[exit ${output.code}]`,
          `--- first difference: ${problem}`,
        ].join('\n'),
      );
    }
  }
}

function parse(text: string): Step[] {
  const steps: Step[] = [];
  const lines = text.replace(/^\n/, '').split('\n');
  // Transcripts are indented as the code around them.
  const margin = /^\s*/.exec(lines.find(line => line.trim() !== '') ?? '')?.[0].length ?? 0;
  const cut = lines.map(line => (line.slice(0, margin).trim() === '' ? line.slice(margin) : line));
  for (let i = 0; i < cut.length; i++) {
    const line = cut[i] as string;
    const start = /^\$(~?) (.*)$/.exec(line);
    if (start) {
      let command = start[2] as string;
      const heredoc = /<<-?'?(\w+)'?/.exec(command)?.[1];
      while (heredoc && i + 1 < cut.length) {
        i++;
        command += `\n${cut[i]}`;
        if (cut[i] === heredoc) break;
      }
      steps.push({ command, expected: [], exit: 0, retry: start[1] === '~' });
      continue;
    }
    const step = steps.at(-1);
    if (!step) {
      assert.equal(line.trim(), '', 'a transcript begins with a command');
      continue;
    }
    const exit = /^\[exit (\d+)\]$/.exec(line);
    if (exit) step.exit = Number(exit[1]);
    else step.expected.push(line);
  }
  for (const step of steps) while (step.expected.at(-1)?.trim() === '') step.expected.pop();
  return steps;
}

/** The first line that is not as expected, or undefined. */
export function difference(expected: readonly string[], actual: readonly string[]): string | undefined {
  const came = actual.length === 1 && actual[0] === '' ? [] : actual;
  const match = (e: number, a: number): string | undefined => {
    for (; e < expected.length; e++, a++) {
      if (expected[e] === '...') {
        if (e === expected.length - 1) return undefined;
        for (let next = a; next <= came.length; next++)
          if (match(e + 1, next) === undefined) return undefined;
        return `nothing matches what follows "..." from: ${expected[e + 1]}`;
      }
      const line = came[a];
      if (line === undefined) return `missing: ${expected[e]}`;
      if (!pattern(expected[e] as string).test(squeeze(line))) return `${line}\n  is not: ${expected[e]}`;
    }
    return a < came.length ? `unexpected: ${came[a]}` : undefined;
  };
  return match(0, 0);
}

const squeeze = (line: string) => line.replace(/\s+/g, ' ').trim();

function pattern(line: string): RegExp {
  const escaped = squeeze(line).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('…', '.*')}$`);
}
