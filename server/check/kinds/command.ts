// command: such a command ran in the learner's terminal. Looks at what ran, never runs anything.

import type { KindSpec } from '#common/lab/index.ts';
import { match } from '#common/match/index.ts';
import { commandFits } from '../command-line.ts';
import type { CheckKind, CommandRun, Verdict } from '../types.ts';
import { nameFindings, say, show } from '../words.ts';

export const command: CheckKind<KindSpec<'command'>> = {
  name: 'command',
  latches: true,

  async run({ ran, exit, output }, { commands, since }): Promise<Verdict> {
    const fitting = commands.recent().filter(run => run.startedAt >= since && commandFits(ran, run.line));
    const judged = fitting.map(run => ({ run, findings: judge(run, exit, output) }));
    const good = judged.find(({ findings }) => findings.length === 0);
    if (good) return { state: 'holds', seen: good.run };
    const last = judged.at(-1);
    if (!last) return { state: 'not-yet' };
    const words = nameFindings(last.findings);
    return {
      state: last.run.endedAt === undefined ? 'not-yet' : 'wrong',
      said: say(
        `你執行了 \`${last.run.line}\`：${words['zh-TW']}。`,
        `You ran \`${last.run.line}\`: ${words.en}.`,
      ),
      findings: last.findings,
      seen: last.run,
    };
  },

  watch: ({ ran }, { commands }, changed) =>
    commands.subscribe(run => void (commandFits(ran, run.line) && changed())),
};

function judge(run: CommandRun, exit: unknown, output: unknown) {
  return [
    ...(exit === undefined ? [] : match(exit, run.exit, 'exit')),
    ...(output === undefined
      ? []
      : match(output, run.output, 'output').map(found => ({
          ...found,
          actual: show(lastLines(run.output)),
        }))),
  ];
}

/** The end of what was printed: errors stand there. */
function lastLines(text: string): string {
  const lines = text.trimEnd().split('\n');
  return lines.slice(-2).join(' ⏎ ').slice(-160);
}
