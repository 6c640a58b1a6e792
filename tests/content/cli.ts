// The authors' command: `pair` writes down that both languages of a lesson agree, `record` refreshes the outputs that lessons
// show. Knows no page.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCourse } from '../../src/course/read.ts';
import { textHash, withTwin } from '../../src/course/twins.ts';

const root = join(import.meta.dirname, '../..');
const [command, ...names] = process.argv.slice(2);

const course = readCourse(root);
const lessons = course.lessons.filter(lesson => names.length === 0 || names.includes(lesson.id));
const unknown = names.filter(name => !course.lessons.some(lesson => lesson.id === name));

if (unknown.length > 0 || (command !== 'pair' && command !== 'record')) {
  if (unknown.length > 0)
    console.error(
      `No lesson ${unknown.join(', ')}. There are: ${course.lessons.map(lesson => lesson.id).join(', ')}`,
    );
  else
    console.error(
      'Say what to do: npm run content -- pair [part/lesson …]   or   npm run content -- record [part/lesson …]',
    );
  process.exitCode = 1;
} else if (command === 'pair') {
  for (const { id, pages } of lessons) {
    const files = { zh: join(root, pages['zh-TW'].file), en: join(root, pages.en.file) };
    const [zh, en] = [readFileSync(files.zh, 'utf8'), readFileSync(files.en, 'utf8')];
    writeFileSync(files.zh, withTwin(zh, textHash(en)));
    writeFileSync(files.en, withTwin(en, textHash(zh)));
    console.log(`${id}: paired`);
  }
} else {
  const { record } = await import('./record.ts');
  await record(root, lessons);
}
