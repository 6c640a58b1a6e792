// Wrong files: not there, under another name, without the words asked for, or with one asserted field changed. Works on a copy in a
// folder of its own; the learner's is left alone.

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { Check, KindSpec } from '#common/lab/index.ts';
import type { CheckContext } from '../../check/index.ts';
import { leaves, other, set } from './tree.ts';
import type { Mutant } from './types.ts';

export function fileMutants(check: Check): Mutant[] {
  const { path, contains, match } = (check as Check<'file'>).spec as KindSpec<'file'>;
  const name = path.replace(/^~\//, '');
  const written = (
    what: string,
    change: (text: string) => { name: string; text: string } | undefined,
  ): Mutant => {
    let folder: string | undefined;
    return {
      what: `with ${what}`,
      async see(context: CheckContext) {
        const text = await readFile(join(context.home, name), 'utf8');
        folder = await mkdtemp(join(tmpdir(), 'mutant-'));
        const file = change(text);
        if (file) {
          await mkdir(dirname(join(folder, file.name)), { recursive: true });
          await writeFile(join(folder, file.name), file.text);
        }
        return { ...context, home: folder };
      },
      done: async () => {
        if (folder) await rm(folder, { recursive: true, force: true });
      },
    };
  };
  const mutants = [
    written(`no file ${path}`, () => undefined),
    written(`the file under another name`, text => ({ name: `${name}.bak`, text })),
  ];
  if (contains !== undefined)
    mutants.push(written(`"${contains}" taken out`, text => ({ name, text: text.replaceAll(contains, '') })));
  for (const { path: field, value } of leaves(match ?? {}))
    mutants.push(
      written(`another ${field.join('.')}`, text => {
        const documents = parseAllDocuments(text).map(document => document.toJS() as unknown);
        for (const document of documents) set(document, field, other(value));
        // JSON is YAML, one document a line of dashes.
        const out = name.endsWith('.json')
          ? JSON.stringify(documents[0])
          : documents.map(document => JSON.stringify(document)).join('\n---\n');
        return { name, text: out };
      }),
    );
  return mutants;
}
