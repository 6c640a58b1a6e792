// command: such a command ran in the learner's terminal. Looks at what ran, never runs anything.
//
// What worked earlier in the attempt counts, and the learner is told so: who has seen it need not type it again. What went wrong
// before the check's turn came was no answer to it, and is not held against anybody.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { KindSpec } from '#common/lab/index.ts';
import { match } from '#common/match/index.ts';
import type { Finding, Text } from '#common/protocol/index.ts';
import { commandFits, fittingCommands, namespaceOf, saidByHand } from '../command-line.ts';
import type { CheckKind, CommandRun, Verdict } from '../types.ts';
import { nameFindings, say, show } from '../words.ts';

export const command: CheckKind<Spec> = {
  name: 'command',
  latches: true,

  async run(spec, context): Promise<Verdict> {
    const { commands, since, opened } = context;
    const fitting = commands
      .recent()
      .filter(run => run.startedAt >= since && commandFits(spec.ran, run.line));
    const elsewhere = spec.namespace === undefined ? undefined : await namespaceOfContext(context.home);
    const judged = fitting.map(run => ({ run, findings: judge(run, spec, elsewhere) }));
    const good = judged.findLast(({ findings }) => findings.length === 0);
    if (good)
      return { state: 'holds', said: youRan(good.run.line, good.run.startedAt < opened), seen: good.run };
    const last = judged.findLast(({ run }) => (run.endedAt ?? Number.POSITIVE_INFINITY) >= opened);
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

type Spec = KindSpec<'command'>;

/** What is said of a command that counts. */
export const youRan = (line: string, early = false): Text =>
  early
    ? say(
        `你之前就執行過 \`${line}\`，算數，不用再打一次。`,
        `You ran \`${line}\` before this checkpoint opened; it counts.`,
      )
    : say(`你執行了 \`${line}\`。`, `You ran \`${line}\`.`);

/** Stands for the place at which a line printed the words itself. */
const BY_HAND = 'printed by';

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
  if (findings.some(({ path }) => path === BY_HAND))
    return say(
      `\`${run.line}\` 裡的那些字是 \`echo\` 印的，不是叢集說的。單獨執行那個指令就好。`,
      `In \`${run.line}\` those words were printed by \`echo\`, not by the cluster. Run the command by itself.`,
    );
  const [where] = findings.filter(({ path }) => path === 'namespace');
  if (where && findings.length === 1)
    return say(
      `你執行了 \`${run.line}\`，看的是${where.actual === '-A' ? '所有命名空間' : `命名空間 \`${where.actual}\``}，這一步問的是 \`${where.expected}\`。`,
      `You ran \`${run.line}\`, which asks about ${where.actual === '-A' ? 'all namespaces' : `the namespace \`${where.actual}\``}; this step is about \`${where.expected}\`.`,
    );
  if (exit.length > 0) {
    const words = nameFindings(exit);
    return say(`你執行了 \`${run.line}\`：${words['zh-TW']}。`, `You ran \`${run.line}\`: ${words.en}.`);
  }
  const empty = /No resources found in (\S+) namespace/.exec(run.output)?.[1];
  if (empty)
    return say(
      `你執行了 \`${run.line}\`，看的是命名空間 \`${empty}\`，那裡一個也沒有。`,
      `You ran \`${run.line}\`, which looks in the namespace \`${empty}\`; there is none in it.`,
    );
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

function judge(
  run: CommandRun,
  { ran, exit, namespace, output }: Spec,
  ofContext: string | undefined,
): Finding[] {
  const findings = [
    ...(exit === undefined ? [] : match(exit, run.exit, 'exit')),
    ...(output === undefined
      ? []
      : match(output, run.output, 'output').map(found => ({
          ...found,
          actual: show(lastLines(run.output)),
        }))),
  ];
  if (namespace !== undefined) {
    const asked = fittingCommands(ran, run.line).map(words => namespaceOf(words) ?? ofContext ?? 'default');
    if (!asked.includes(namespace))
      findings.push({
        path: 'namespace',
        expected: namespace,
        actual: asked[0] === '*' ? '-A' : (asked[0] ?? ''),
      });
  }
  const byHand = saidByHand(run.line);
  if (
    output !== undefined &&
    byHand !== '' &&
    match(output, run.output).length === 0 &&
    match(output, byHand).length === 0
  )
    findings.push({ path: BY_HAND, expected: 'kubectl', actual: 'echo' });
  return findings;
}

/** The namespace that the learner's context names; kubectl takes it where a command names none. */
async function namespaceOfContext(home: string): Promise<string | undefined> {
  try {
    const config = parse(await readFile(join(home, '.kube/config'), 'utf8')) as Kubeconfig;
    return config.contexts?.find(({ name }) => name === config['current-context'])?.context?.namespace;
  } catch {
    return undefined;
  }
}

interface Kubeconfig {
  'current-context'?: string;
  contexts?: { name?: string; context?: { namespace?: string } }[];
}

/** The end of what was printed: errors stand there. */
function lastLines(text: string): string {
  const lines = text.trimEnd().split('\n');
  return lines.slice(-2).join(' ⏎ ').slice(-160);
}
