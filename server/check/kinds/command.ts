// command: such a command ran in the learner's terminal. Looks at what ran, never runs anything.

import type { KindSpec } from '#common/lab/index.ts';
import { match } from '#common/match/index.ts';
import type { Finding, Text } from '#common/protocol/index.ts';
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
    return {
      state: last.run.endedAt === undefined ? 'not-yet' : 'wrong',
      said: tell(last.run, last.findings),
      findings: last.findings,
      seen: last.run,
    };
  },

  watch: ({ ran }, { commands }, changed) =>
    commands.subscribe(run => void (commandFits(ran, run.line) && changed())),
};

/** What happened, in the words of the terminal; the pattern that is looked for helps nobody. */
function tell(run: CommandRun, findings: readonly Finding[]): Text {
  const printed = lastLines(run.output);
  const exit = findings.filter(({ path }) => path === 'exit');
  const how = run.endedAt !== undefined && run.exit !== 0 ? `（exit ${run.exit}）` : '';
  if (exit.length > 0 && how)
    return say(
      `你執行了 \`${run.line}\`，它沒有成功${how}：${printed}`,
      `You ran \`${run.line}\`, and it failed (exit ${run.exit}): ${printed}`,
    );
  if (exit.length > 0) {
    const words = nameFindings(exit);
    return say(`你執行了 \`${run.line}\`：${words['zh-TW']}。`, `You ran \`${run.line}\`: ${words.en}.`);
  }
  return printed
    ? say(
        `你執行了 \`${run.line}\`，印出來的內容裡還沒有這一步要看的東西。最後印出的是：${printed}`,
        `You ran \`${run.line}\`, but its output does not show yet what this step asks for. It ended with: ${printed}`,
      )
    : say(
        `你執行了 \`${run.line}\`，它什麼都沒有印出來。`,
        `You ran \`${run.line}\`, and it printed nothing.`,
      );
}

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
