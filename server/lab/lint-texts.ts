// Tells whether the sentences of a lab stand in the language they are said to stand in. Knows no files.

import type { LabDefinition } from '#common/lab/index.ts';
import { showPath } from '#common/lab/index.ts';

/** Han characters; in English also the full-width signs that go with them are out of place. */
const CHINESE = /\p{Script=Han}/u;
const NOT_ENGLISH = /[\p{Script=Han}\u3000-\u303f\uff00-\uffef]/u;
/** Names of errors, kinds and fields are the same everywhere: they may be all there is of a title, a question or a choice. */
const NAMES = new Set(['title', 'prompt', 'text']);

/** Sentences `path: what`, for each text that is not in its language. */
export function textProblems(definition: LabDefinition): string[] {
  const problems: string[] = [];
  const walk = (value: unknown, path: (string | number)[]): void => {
    if (typeof value !== 'object' || value === null) return;
    const { 'zh-TW': zh, en } = value as Record<string, unknown>;
    if (typeof zh !== 'string' || typeof en !== 'string') {
      for (const [key, inner] of Object.entries(value))
        walk(inner, [...path, Array.isArray(value) ? Number(key) : key]);
      return;
    }
    const said = (text: string) => text.replace(/`[^`]*`/g, '').replace(/[^\p{L}]/gu, '');
    if (NOT_ENGLISH.test(en)) problems.push(`${showPath(path)}.en: is not English: ${en.slice(0, 40)}`);
    if (!NAMES.has(String(path.at(-1))) && said(zh) !== '' && !CHINESE.test(zh))
      problems.push(`${showPath(path)}.zh-TW: is not Chinese: ${zh.slice(0, 40)}`);
  };
  walk(definition, []);
  return problems;
}
