// Reads course.yaml, all lessons, the glossary and the labs' summaries into one model. A reference that dangles, a lesson
// that no part lists or a twin that is missing is an error here, so it fails the build. Knows no page and no Astro.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { parse } from 'yaml';
import type { z } from 'zod';
import {
  courseFile,
  type Facts,
  type Frontmatter,
  factsFile,
  frontmatter,
  glossaryFile,
  type LabSummary,
  type Language,
  labSummary,
  languages,
  type Term,
  type Text,
} from './schema.ts';

export interface Lesson {
  /** `<part>/<lesson>`, the same in each language. */
  id: string;
  part: string;
  pages: Record<Language, { front: Frontmatter; body: string; file: string }>;
}

export interface Part {
  id: string;
  title: Text;
  summary: Text;
  lessons: Lesson[];
}

export interface Course {
  first: Lesson;
  parts: Part[];
  /** All lessons in the order of the course. */
  lessons: Lesson[];
  glossary: Term[];
  facts: Facts;
  labs: Map<string, LabSummary>;
}

export class CourseError extends Error {}

/** Reads the course below `root` (the project's folder); throws one CourseError that lists everything wrong. */
export function readCourse(root: string): Course {
  const wrong: string[] = [];
  const load = <T>(file: string, schema: z.ZodType<T>): T | undefined => {
    const result = schema.safeParse(parse(readFileSync(join(root, file), 'utf8')));
    if (result.success) return result.data;
    for (const issue of result.error.issues)
      wrong.push(`${file}: ${issue.path.join('.') || 'file'}: ${issue.message}`);
    return undefined;
  };

  const order = load('content/course.yaml', courseFile);
  const glossary = load('content/glossary.yaml', glossaryFile)?.terms ?? [];
  const facts = load('content/facts.yaml', factsFile)?.releases ?? {};
  const labs = readLabs(root, wrong);
  const listed = new Set<string>();
  const parts: Part[] = [];

  for (const part of order?.parts ?? []) {
    const lessons: Lesson[] = [];
    for (const name of part.lessons) {
      const id = `${part.id}/${name}`;
      if (listed.has(id)) wrong.push(`content/course.yaml: ${id} is listed twice`);
      listed.add(id);
      const pages: Partial<Lesson['pages']> = {};
      for (const language of languages) {
        const file = `content/${language}/${id}.mdx`;
        if (!existsSync(join(root, file)))
          wrong.push(`content/course.yaml lists ${id}, but ${file} is missing`);
        else {
          const page = readLesson(root, file, wrong);
          if (page) pages[language] = page;
        }
      }
      if (pages['zh-TW'] && pages.en) lessons.push({ id, part: part.id, pages: pages as Lesson['pages'] });
    }
    parts.push({ id: part.id, title: part.title, summary: part.summary, lessons });
  }

  // Without a readable order everything would be "unlisted"; its own mistakes are enough to read.
  for (const language of order ? languages : []) {
    for (const id of lessonFiles(join(root, 'content', language)))
      if (!listed.has(id)) wrong.push(`content/${language}/${id}.mdx is in no part of content/course.yaml`);
  }

  const lessons = parts.flatMap(part => part.lessons);
  const terms = new Set(glossary.map(term => term.id));
  for (const term of glossary)
    if (term.lesson && !listed.has(term.lesson))
      wrong.push(`content/glossary.yaml: ${term.id}: no lesson ${term.lesson}`);
  for (const lesson of lessons)
    for (const language of languages)
      checkReferences(lesson, language, { listed, terms, labs, facts }, wrong);

  const first = lessons.find(lesson => lesson.id === order?.first);
  if (order && !first) wrong.push(`content/course.yaml: first: no lesson ${order.first}`);
  if (wrong.length > 0 || !first)
    throw new CourseError(`The course has ${wrong.length} mistakes:\n  ${wrong.join('\n  ')}`);
  return { first, parts, lessons, glossary, facts, labs };
}

/** Splits an MDX file into its frontmatter (YAML text) and its body; undefined without frontmatter. */
export function splitFrontmatter(source: string): { yaml: string; body: string } | undefined {
  const match = /^---\r?\n([\s\S]*?)\r?\n---\r?\n?/.exec(source);
  return match ? { yaml: match[1] ?? '', body: source.slice(match[0].length) } : undefined;
}

function readLesson(root: string, file: string, wrong: string[]): Lesson['pages'][Language] | undefined {
  const split = splitFrontmatter(readFileSync(join(root, file), 'utf8'));
  if (!split) {
    wrong.push(`${file}: no frontmatter`);
    return undefined;
  }
  const front = frontmatter.safeParse(parse(split.yaml));
  if (!front.success) {
    for (const issue of front.error.issues) wrong.push(`${file}: ${issue.path.join('.')}: ${issue.message}`);
    return undefined;
  }
  return { front: front.data, body: split.body, file };
}

function readLabs(root: string, wrong: string[]): Map<string, LabSummary> {
  const labs = new Map<string, LabSummary>();
  const folder = join(root, 'labs');
  if (!existsSync(folder)) return labs;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = join(folder, entry.name, 'lab.yaml');
    if (!entry.isDirectory() || !existsSync(file)) continue;
    const lab = labSummary.safeParse(parse(readFileSync(file, 'utf8')));
    if (lab.success) labs.set(entry.name, lab.data);
    else
      for (const issue of lab.error.issues)
        wrong.push(`labs/${entry.name}/lab.yaml: ${issue.path.join('.')}: ${issue.message}`);
  }
  return labs;
}

function lessonFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.mdx'))
    .map(entry =>
      relative(folder, join(entry.parentPath, entry.name))
        .split(sep)
        .join('/')
        .replace(/\.mdx$/, ''),
    );
}

interface Known {
  listed: Set<string>;
  terms: Set<string>;
  facts: Facts;
  labs: Map<string, LabSummary>;
}

/** What the site has in each language beside its lessons. */
const OTHER_PAGES = new Set(['', 'errors', 'glossary', 'progress']);

/** Every `<Lab id>`, `<Term id>` and link to a lesson in the text must lead somewhere. */
function checkReferences(lesson: Lesson, language: Language, known: Known, wrong: string[]): void {
  const { front, body, file } = lesson.pages[language];
  if (front.lab && !known.labs.has(front.lab)) wrong.push(`${file}: lab: no labs/${front.lab}/lab.yaml`);
  for (const [, id = ''] of body.matchAll(/<Lab\s+id="([^"]*)"/g)) {
    if (id !== front.lab)
      wrong.push(`${file}: <Lab id="${id}"> is not the lab of the frontmatter (${front.lab ?? 'none'})`);
  }
  for (const [, id = ''] of body.matchAll(/<Term\s+id="([^"]*)"/g)) {
    if (!known.terms.has(id)) wrong.push(`${file}: <Term id="${id}"> is not in content/glossary.yaml`);
  }
  for (const [, of = '', is = ''] of body.matchAll(/<Num\s+of="([^"]*)"\s+is="([^"]*)"/g)) {
    if (known.facts[of]?.[is] === undefined)
      wrong.push(`${file}: <Num of="${of}" is="${is}"> is not in content/facts.yaml`);
  }
  for (const [, target = ''] of [...front.needs, body].join('\n').matchAll(/\]\((\/[^)\s]*)\)/g)) {
    const [path = ''] = target.split('#');
    const own = `/${language}/`;
    const id = path.slice(own.length).replace(/\/$/, '');
    const leads = path.startsWith(own) && path.endsWith('/') && (known.listed.has(id) || OTHER_PAGES.has(id));
    if (!leads) wrong.push(`${file}: the link ${target} leads to no page in ${language}`);
  }
}
