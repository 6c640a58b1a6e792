// Astro's view of the lessons: only what is needed to render them. The course model (src/course) knows order and references.

import { defineCollection } from 'astro:content';
import { glob } from 'astro/loaders';
import { frontmatter } from './course/schema.ts';

const lessons = defineCollection({
  loader: glob({
    base: './content',
    pattern: '*/**/*.mdx',
    generateId: ({ entry }) => entry.replace(/\.mdx$/, ''),
  }),
  schema: frontmatter,
});

export const collections = { lessons };
