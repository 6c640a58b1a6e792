// The one door of the course model for pages and layouts: read once a build. Knows no component.

import { type Course, type Lesson, type Part, readCourse } from './read.ts';
import { type Language, languages } from './schema.ts';

export type { Lesson } from './read.ts';
export type { LabSummary, Language } from './schema.ts';
export { languages } from './schema.ts';

let cached: Course | undefined;

/** The course of the project that is being built. In dev it is read afresh each time, so that edits show. */
export function course(): Course {
  if (import.meta.env?.DEV) return readCourse(process.cwd());
  cached ??= readCourse(process.cwd());
  return cached;
}

export function lessonPath(language: Language, id: string): string {
  return `/${language}/${id}/`;
}

export function neighbours(
  model: Course,
  lesson: Lesson,
): { previous: Lesson | undefined; next: Lesson | undefined } {
  const at = model.lessons.findIndex(other => other.id === lesson.id);
  return { previous: model.lessons[at - 1], next: model.lessons[at + 1] };
}

/** Labs that no lesson shows yet: somebody is writing them. */
export function labsWithoutLesson({ labs, lessons }: Course): string[] {
  const shown = new Set(lessons.flatMap(({ pages }) => languages.map(language => pages[language].front.lab)));
  return [...labs.keys()].filter(id => !shown.has(id));
}

export function labPath(language: Language, id: string): string {
  return `/${language}/labs/${id}/`;
}

export function partOf(model: Course, lesson: Lesson): Part {
  return model.parts.find(part => part.id === lesson.part)!;
}
