// The shapes of course.yaml, of a lesson's frontmatter and of the glossary. Unknown keys are errors. Knows no file.

import { z } from 'zod';

export const languages = ['zh-TW', 'en'] as const;
export type Language = (typeof languages)[number];

export const text = z.strictObject({ 'zh-TW': z.string().min(1), en: z.string().min(1) });
export type Text = z.infer<typeof text>;

const id = z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'an id is words of a-z and 0-9 joined by hyphens');

export const courseFile = z.strictObject({
  /** The lesson behind the big button of the home page: `<part>/<lesson>`. */
  first: z.string(),
  parts: z.array(z.strictObject({ id, title: text, summary: text, lessons: z.array(id).min(1) })).min(1),
});

export const frontmatter = z.strictObject({
  title: z.string().min(1),
  /** One sentence, for the home page and for search engines. */
  summary: z.string().min(1),
  /** Honest time for someone who types along, in minutes. */
  minutes: z.number().int().positive(),
  /** What the reader can do afterwards; each continues "you will be able to". */
  able: z.array(z.string().min(1)).min(1),
  /** What the reader needs before; lesson references are written as Markdown links in the text, not here. */
  needs: z.array(z.string().min(1)),
  /** The versions that the lesson's words and outputs were checked against. */
  checked: z.strictObject({
    kubernetes: z.string().optional(),
    kubeflow: z.string().optional(),
    minikube: z.string().optional(),
  }),
  /** The lab whose panel and cluster stand beside the lesson. */
  lab: id.optional(),
  /** Without a lab: the cluster that the commands of the lesson run on when its outputs are recorded and compared. */
  cluster: z
    .strictObject({ baseline: id, cpus: z.number().optional(), memory: z.string().optional() })
    .optional(),
  /** Hash of the twin's text when both were last brought into agreement; `npm run content -- pair` writes it. */
  twin: z
    .string()
    .regex(/^[0-9a-f]{12}$/)
    .optional(),
});
export type Frontmatter = z.infer<typeof frontmatter>;

export const glossaryFile = z.strictObject({
  terms: z.array(z.strictObject({ id, term: text, means: text, lesson: z.string().optional() })),
});
export type Term = z.infer<typeof glossaryFile>['terms'][number];

export const factsFile = z.strictObject({ releases: z.record(z.string(), z.record(z.string(), z.string())) });
/** Figures by release, then by name. */
export type Facts = z.infer<typeof factsFile>['releases'];

/** What the site needs of a lab at build time; the rest of lab.yaml belongs to the server. */
export const labSummary = z.object({
  title: text,
  summary: text.optional(),
  minutes: z.number(),
  steps: z.array(z.object({ id: z.string(), task: text })).min(1),
});
export type LabSummary = z.infer<typeof labSummary>;
