// Refreshes the outputs that lessons show: types the lesson's commands into a real terminal on its cluster, and writes what they
// printed into the output blocks of both languages. An output that is still true is left as it is.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Exchange, excerpt, exchangesOf, replaceBlock } from '../../src/course/lesson-blocks.ts';
import type { Lesson } from '../../src/course/read.ts';
import { languages } from '../../src/course/schema.ts';
import { plain } from './same.ts';
import { createTypist, type Expected, type Typed } from './typist.ts';

export async function record(root: string, lessons: Lesson[]): Promise<void> {
  const withCommands = lessons.filter(lesson => exchangesOf(lesson.pages.en.body).length > 0);
  const typist = await createTypist(root, withCommands);
  try {
    for (const lesson of withCommands) {
      const typed = await typist.type(lesson, settled());
      for (const { command, exit } of typed) console.log(`${lesson.id}: ${command} -> ${exit ?? 'stopped'}`);
      for (const language of languages) {
        const file = join(root, lesson.pages[language].file);
        const source = await readFile(file, 'utf8');
        await writeFile(file, withOutputs(source, typed));
      }
    }
  } finally {
    await typist.close();
  }
}

/** States that pass by themselves in a moment: not worth showing, and never met again in the same order. */
const PASSING = /ContainerCreating|PodInitializing|Terminating|Init:\d/;

/** Two looks in a row that say the same; only commands that merely look are typed again. */
function settled(): Expected {
  let last: { exchange: Exchange; text: string } | undefined;
  return (exchange, output) => {
    // What stays is listened to for as long as the lesson says.
    if (exchange.command.meta.stays) return false;
    const text = plain(output);
    const same = last?.exchange === exchange && last.text === text;
    last = { exchange, text };
    return same && !PASSING.test(output);
  };
}

/** The source with each shown output replaced by what was typed for the same command, at the same place in the order. */
export function withOutputs(source: string, typed: readonly Pick<Typed, 'output'>[]): string {
  const exchanges = exchangesOf(source);
  let next = source;
  for (let i = exchanges.length - 1; i >= 0; i--) {
    const { output } = exchanges[i]!;
    const text = typed[i]?.output;
    if (!output || text === undefined) continue;
    const part = excerpt(text, output.meta);
    const varies = Boolean(output.meta.varies);
    if (plain(part, varies) !== plain(output.code, varies)) next = replaceBlock(next, output, part);
  }
  return next;
}
