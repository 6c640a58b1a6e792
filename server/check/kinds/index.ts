// The family of check kinds: a key of lab.yaml to what judges it.

import type { KindName } from '#common/lab/index.ts';
import type { CheckKind } from '../types.ts';
import { absent } from './absent.ts';
import { access } from './access.ts';
import { answer } from './answer.ts';
import { command } from './command.ts';
import { file } from './file.ts';
import { http } from './http.ts';
import { resource } from './resource.ts';
import { script } from './script.ts';

export const KINDS = { resource, absent, access, http, command, file, answer, script } as const;

/** The kind by its name; specs are those the schema of src/common/lab has accepted. */
export function kindOf(name: KindName): CheckKind {
  return KINDS[name] as CheckKind;
}
