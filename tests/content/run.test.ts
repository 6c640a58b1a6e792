// The commands that lessons show run, in page order, in a real terminal on the lesson's cluster, and print what the lesson shows.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createKubectl, probeSandbox } from '../../server/workspace/index.ts';
import { type Exchange, excerpt, exchangesOf } from '../../src/course/lesson-blocks.ts';
import { readCourse } from '../../src/course/read.ts';
import { plain, withoutRepeats } from './same.ts';
import { createTypist, type Typist } from './typist.ts';

const root = join(import.meta.dirname, '../..');
// LESSON=part/name,… runs those alone, for whoever writes them.
const only = process.env.LESSON?.split(',');
const lessons = readCourse(root).lessons.filter(
  lesson => exchangesOf(lesson.pages.en.body).length > 0 && (!only || only.includes(lesson.id)),
);
const found = await createKubectl({ cache: join(root, '.cache', 'kubectl') }).look();
const sandbox = await probeSandbox();
const skip =
  found.state !== 'found'
    ? 'there is no kubectl here'
    : // Outside it the shell is the host's, with another docker, minikube and address of the cluster.
      sandbox.tier !== 'bwrap' && 'there is no sandbox here';

const compared = ({ command, output }: Exchange, text: string) => {
  // Whether more lines follow those that `lines=` shows is a matter of time: events gather.
  const lines = plain(text, Boolean(output?.meta.varies)).replace(/\n…$/, '');
  // So is how often a line came whose figures are not compared: a server asks until it is answered.
  return command.meta.stays || output?.meta.varies ? withoutRepeats(lines) : lines;
};
const shown = (exchange: Exchange) => exchange.output && compared(exchange, exchange.output.code);
const came = (exchange: Exchange, text: string) =>
  compared(exchange, excerpt(text, exchange.output?.meta ?? {}));

describe('lessons', { skip, concurrency: 2 }, () => {
  let typist: Typist;
  before(async () => {
    typist = await createTypist(root, lessons);
  });
  after(() => typist.close());

  for (const lesson of lessons)
    test(`${lesson.id} prints what it shows`, async () => {
      const exchanges = exchangesOf(lesson.pages.en.body);
      const typed = await typist.type(
        lesson,
        (exchange, text) => !exchange.output || came(exchange, text) === shown(exchange),
      );
      exchanges.forEach((exchange, index) => {
        const { command, output, exit } = typed[index]!;
        if (exchange.output) assert.equal(came(exchange, output), shown(exchange), command);
        else if (!exchange.command.meta.stays)
          assert.equal(exit, 0, `${command} fails, and the lesson does not show it: ${output}`);
      });
    });
});
