// Tests of the course reader: what it refuses, in its own words.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { labsWithoutLesson } from './index.ts';
import { CourseError, readCourse } from './read.ts';

const scratch = mkdtempSync(join(tmpdir(), 'course-'));
after(() => rmSync(scratch, { recursive: true }));

const lesson = (extra = '', body = 'Text.') => `---
title: A
summary: B
minutes: 1
able: [do]
needs: []
checked: {}
${extra}---
${body}
`;

function project(name: string, files: Record<string, string>): string {
  const root = join(scratch, name);
  const all: Record<string, string> = {
    'content/course.yaml':
      'first: p/a\nparts: [{ id: p, title: { zh-TW: 甲, en: A }, summary: { zh-TW: 甲, en: A }, lessons: [a] }]\n',
    'content/glossary.yaml': 'terms: []\n',
    'content/facts.yaml': 'releases: {}\n',
    'content/zh-TW/p/a.mdx': lesson(),
    'content/en/p/a.mdx': lesson(),
    ...files,
  };
  for (const [file, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return root;
}

const refuses = (root: string, words: RegExp) =>
  assert.throws(
    () => readCourse(root),
    (error: Error) => error instanceof CourseError && words.test(error.message),
  );

test('a whole course is read in order', () => {
  const course = readCourse(project('whole', {}));
  assert.deepEqual(
    course.lessons.map(one => one.id),
    ['p/a'],
  );
  assert.equal(course.first.id, 'p/a');
});

test('a lab that no lesson shows is told from one that a lesson shows', () => {
  const lab = 'title: { zh-TW: 甲, en: A }\nminutes: 1\nsteps: [{ id: a, task: { zh-TW: 甲, en: A } }]\n';
  const root = project('labs', {
    'labs/shown/lab.yaml': lab,
    'labs/alone/lab.yaml': lab,
    'content/zh-TW/p/a.mdx': lesson('lab: shown\n', 'Text. <Lab id="shown" />'),
    'content/en/p/a.mdx': lesson('lab: shown\n', 'Text. <Lab id="shown" />'),
  });
  assert.deepEqual(labsWithoutLesson(readCourse(root)), ['alone']);
});

test('a lesson without its twin is refused', () => {
  const root = project('twinless', {});
  rmSync(join(root, 'content/en/p/a.mdx'));
  refuses(root, /lists p\/a, but content\/en\/p\/a\.mdx is missing/);
});

test('a lesson that no part lists is refused', () => {
  const root = project('unlisted', { 'content/en/p/b.mdx': lesson() });
  refuses(root, /content\/en\/p\/b\.mdx is in no part/);
});

test('an unknown key in the frontmatter is refused', () => {
  refuses(
    project('key', { 'content/en/p/a.mdx': lesson('colour: red\n') }),
    /content\/en\/p\/a\.mdx: .*colour/,
  );
});

test('a lab, a term and a link that lead nowhere are all named', () => {
  const body = '<Term id="nope" /> [there](/en/p/missing/) <Lab id="ghost" />';
  const root = project('dangling', { 'content/en/p/a.mdx': lesson('lab: ghost\n', body) });
  refuses(root, /no labs\/ghost[\s\S]*<Term id="nope">[\s\S]*\/en\/p\/missing\//);
});

test('a link may lead to every page of its language', () => {
  const body = '[a](/en/p/a/#x) [b](/en/glossary/#pod) [c](/en/errors/) [d](/en/progress/) [e](/en/)';
  assert.equal(readCourse(project('pages', { 'content/en/p/a.mdx': lesson('', body) })).lessons.length, 1);
});

test('a link in the needs of a lesson must lead somewhere too', () => {
  const page = lesson().replace('needs: []', 'needs: ["[x](/en/p/gone/) came first"]');
  refuses(project('needs', { 'content/en/p/a.mdx': page }), /\/en\/p\/gone\/ leads to no page in en/);
});

test('a link to the page in the other language is refused', () => {
  refuses(
    project('cross', { 'content/en/p/a.mdx': lesson('', '[x](/zh-TW/p/a/)') }),
    /leads to no page in en/,
  );
});
