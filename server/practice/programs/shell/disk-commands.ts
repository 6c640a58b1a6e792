// Commands that fill disks, which the shell library lacks: dd, fallocate, truncate, and head on devices without an end.

import { type CustomCommand, defineCommand } from 'just-bash';
import { FileError } from '../files.ts';
import type { ShellTools } from './types.ts';

const UNITS: Record<string, number> = { '': 1, c: 1, b: 512, k: 2 ** 10, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };
/** More at once than any container may write. */
const MOST_BYTES = 65 * 2 ** 20;

/** `1M` as bytes; undefined when it is no size. */
function sizeOf(text: string): number | undefined {
  const found = /^(\d+)([cbkKMG]?)(i?B)?$/.exec(text);
  return found ? Number(found[1]) * UNITS[found[2]!]! : undefined;
}

const ok = { stdout: '', stderr: '', exitCode: 0 };
const fail = (stderr: string, exitCode = 1) => ({ stdout: '', stderr, exitCode });

export function diskCommands({ container }: ShellTools): CustomCommand[] {
  const at = (ctx: { cwd: string }, name: string) => (name.startsWith('/') ? name : `${ctx.cwd}/${name}`);
  const endless = (name: string | undefined) => name === '/dev/zero' || name === '/dev/urandom';
  const bytesFrom = (name: string, count: number): Buffer => {
    const bytes = Buffer.alloc(Math.min(count, MOST_BYTES));
    if (name === '/dev/urandom')
      for (let i = 0; i < bytes.length; i++) bytes[i] = container.random.below(256);
    return bytes;
  };
  /** Writes, or says why not as libc does. */
  const write = (path: string, bytes: Uint8Array): string | undefined => {
    try {
      container.files.write(path, bytes);
      return undefined;
    } catch (error) {
      if (error instanceof FileError) return REASONS[error.code] ?? error.message;
      throw error;
    }
  };
  return [
    defineCommand('dd', async (args, ctx) => {
      const options = Object.fromEntries(
        args.map(arg => [arg.split('=')[0]!, arg.slice(arg.indexOf('=') + 1)]),
      );
      const strange = Object.keys(options).find(
        o => !['if', 'of', 'bs', 'count', 'status', 'conv'].includes(o),
      );
      if (strange) return fail(`dd: ${strange}= is not supported in this practice cluster\n`);
      const block = sizeOf(options['bs'] ?? '512');
      const count = options['count'] === undefined ? undefined : sizeOf(options['count']);
      if (!block || (options['count'] !== undefined && count === undefined))
        return fail(`dd: invalid number '${options['bs'] ?? options['count']}'\n`);
      const source = options['if'];
      let bytes: Uint8Array;
      if (endless(source)) bytes = bytesFrom(source!, block * (count ?? Number.MAX_SAFE_INTEGER));
      else if (source === undefined) bytes = Buffer.from(String(ctx.stdin ?? ''), 'latin1');
      else {
        const found = source === '/dev/null' ? Buffer.alloc(0) : container.files.read(at(ctx, source));
        if (!found) return fail(`dd: can't open '${source}': No such file or directory\n`);
        bytes = found;
      }
      if (count !== undefined) bytes = bytes.subarray(0, block * count);
      const to = options['of'];
      const why = to === undefined || to === '/dev/null' ? undefined : write(at(ctx, to), bytes);
      if (why) return fail(`dd: error writing '${to}': ${why}\n`);
      const records = `${Math.floor(bytes.length / block)}+${bytes.length % block ? 1 : 0}`;
      const report = `${records} records in\n${records} records out\n`;
      return {
        stdout: to === undefined ? Buffer.from(bytes).toString('latin1') : '',
        stderr: options['status'] === 'none' ? '' : report,
        exitCode: 0,
      };
    }),
    defineCommand('fallocate', async (args, ctx) => sized('fallocate', args, ctx, /^(-l|--length)$/)),
    defineCommand('truncate', async (args, ctx) => sized('truncate', args, ctx, /^(-s|--size)$/)),
    defineCommand('head', async (args, ctx) => {
      const device = args.find(endless);
      if (!device) return ctx.origCommand!(args);
      const given =
        /^-c(.+)$/.exec(args.find(arg => /^-c./.test(arg)) ?? '')?.[1] ?? args[args.indexOf('-c') + 1];
      const size = args.some(arg => arg.startsWith('-c')) ? sizeOf(given ?? '') : undefined;
      if (size === undefined) return fail(`head: ${device} has no lines: say how much with -c\n`);
      return { ...ok, stdout: bytesFrom(device, size).toString('latin1') };
    }),
  ];

  function sized(name: string, args: string[], ctx: { cwd: string }, option: RegExp) {
    const index = args.findIndex(arg => option.test(arg));
    const size = sizeOf(args[index + 1] ?? '');
    const targets = args.filter((arg, i) => !arg.startsWith('-') && i !== index + 1);
    if (index < 0 || size === undefined || targets.length === 0)
      return fail(`Usage: ${name} ${name === 'truncate' ? '-s' : '-l'} SIZE FILE\n`);
    for (const target of targets) {
      const before = container.files.read(at(ctx, target)) ?? Buffer.alloc(0);
      const after = Buffer.alloc(Math.min(size, MOST_BYTES));
      after.set(before.subarray(0, after.length));
      const why = write(at(ctx, target), after);
      if (why) return fail(`${name}: ${target}: ${why}\n`);
    }
    return ok;
  }
}

const REASONS: Partial<Record<FileError['code'], string>> = {
  ENOENT: 'No such file or directory',
  EISDIR: 'Is a directory',
  EROFS: 'Read-only file system',
  ENOSPC: 'No space left on device',
};
