// The parts of Kubeflow that the pictures show, from content/parts.yaml. A reference that dangles is an error. Knows no page.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Course, Lesson } from './read.ts';
import { text } from './schema.ts';

const partsFile = z.strictObject({
  layers: z.array(z.strictObject({ id: z.string(), title: text, what: text })),
  parts: z.array(
    z.strictObject({
      id: z.string(),
      layer: z.string(),
      name: z.string(),
      what: text,
      needs: z.array(z.string()),
      namespace: z.string(),
      pods: z.array(z.string()),
      lesson: z.string(),
      /** Heading within the lesson. */
      section: z.string().optional(),
      /** Not part of the default installation. */
      optional: z.boolean().optional(),
    }),
  ),
  /** Pods, thousandths of a core, MiB. */
  requests: z.record(z.string(), z.tuple([z.number(), z.number(), z.number()])),
});
type PartsFile = z.infer<typeof partsFile>;

export interface KubeflowPart extends Omit<PartsFile['parts'][number], 'lesson'> {
  lesson: Lesson;
  /** Who needs this part. */
  carries: string[];
}

export interface KubeflowParts {
  layers: PartsFile['layers'];
  parts: KubeflowPart[];
  requests: { id: string; pods: number; cpu: number; memory: number }[];
}

export function readParts(root: string, course: Course): KubeflowParts {
  const file = partsFile.parse(parse(readFileSync(join(root, 'content/parts.yaml'), 'utf8')));
  const parts = file.parts.map(part => {
    const lesson = course.lessons.find(one => one.id === part.lesson);
    if (!lesson) throw new Error(`content/parts.yaml: ${part.id}: no lesson ${part.lesson}`);
    if (!file.layers.some(layer => layer.id === part.layer))
      throw new Error(`content/parts.yaml: ${part.id}: no layer ${part.layer}`);
    const missing = part.needs.find(need => !file.parts.some(one => one.id === need));
    if (missing) throw new Error(`content/parts.yaml: ${part.id} needs ${missing}, which is not there`);
    const carries = file.parts.filter(one => one.needs.includes(part.id)).map(one => one.id);
    return { ...part, lesson, carries };
  });
  const requests = Object.entries(file.requests).map(([id, [pods, cpu, memory]]) => ({
    id,
    pods,
    cpu,
    memory,
  }));
  return { layers: file.layers, parts, requests };
}
