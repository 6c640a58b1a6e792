// The index of error messages: which lesson explains which. A lesson that does not exist is an error. Knows no page.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Course, Lesson } from './read.ts';
import { text } from './schema.ts';

const errorsFile = z.strictObject({
  errors: z
    .array(
      z.strictObject({
        id: z.string(),
        /** The messages as programs print them. */
        says: z.array(z.string().min(1)).min(1),
        means: text,
        /** The lesson with this lab explains it; until there is one, `lesson` does. */
        lab: z.string().optional(),
        lesson: z.string(),
      }),
    )
    .min(1),
});

export interface ErrorEntry {
  id: string;
  says: string[];
  means: z.infer<typeof text>;
  lesson: Lesson;
}

export function readErrors(root: string, course: Course): ErrorEntry[] {
  const { errors } = errorsFile.parse(parse(readFileSync(join(root, 'content/errors.yaml'), 'utf8')));
  return errors.map(({ id, says, means, lab, lesson }) => {
    const found =
      (lab && course.lessons.find(one => one.pages.en.front.lab === lab)) ||
      course.lessons.find(one => one.id === lesson);
    if (!found) throw new Error(`content/errors.yaml: ${id}: no lesson ${lesson}`);
    return { id, says, means, lesson: found };
  });
}
