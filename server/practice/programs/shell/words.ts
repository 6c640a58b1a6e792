// How shells word what went wrong: the library's texts become bash's or busybox'. Knows no shell that runs.

import type { FileError } from '../files.ts';
import type { ShellProfile } from './profiles.ts';

/** What libc says for it. */
const SAID: Record<FileError['code'], string> = {
  ENOENT: 'No such file or directory',
  ENOTDIR: 'Not a directory',
  EISDIR: 'Is a directory',
  EROFS: 'Read-only file system',
  ENOSPC: 'No space left on device',
  EEXIST: 'File exists',
  ENOTEMPTY: 'Directory not empty',
  ELOOP: 'Too many levels of symbolic links',
  EBUSY: 'Resource busy',
};

/** Error texts as bash or busybox' shell words them; `refusal` is why a file could not be opened last. */
export function shellWords(
  chunk: string | Uint8Array,
  kind: ShellProfile['kind'],
  refusal: FileError['code'],
): string | Uint8Array {
  const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
  const why = text.replace(
    /: (E[A-Z]+): [a-z -]+, '[^']*'$/gm,
    (all, code: string) => `: ${SAID[code as FileError['code']] ?? all.slice(2)}`,
  );
  if (kind !== 'ash') {
    const said = why.replace(/^(bash: .*: )cannot open redirect target$/gm, `$1${SAID[refusal]}`);
    return said === text ? chunk : said;
  }
  const nowhere = refusal === 'ENOENT' || refusal === 'ENOTDIR';
  return why
    .replace(
      /^bash: (.*): cannot open redirect target$/gm,
      `sh: can't create $1: ${nowhere ? 'nonexistent directory' : SAID[refusal]}`,
    )
    .replace(/^bash: (.*): Is a directory$/gm, "sh: can't create $1: Is a directory")
    .replace(/^bash: (?:line \d+: )?(.*): command not found$/gm, 'sh: $1: not found')
    .replace(/^(rm|mkdir): cannot /gm, "$1: can't ")
    .replace(/^touch: cannot touch '(.*)': /gm, 'touch: $1: ')
    .replace(/^bash: /gm, 'sh: ');
}
