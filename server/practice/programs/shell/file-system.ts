// Shows a container's files to just-bash, and turns writes to two hidden paths into output as it happens. Knows no
// commands.

import type { FsStat, IFileSystem } from 'just-bash';
import {
  bytesOf,
  type ContainerFileSystem,
  directory,
  FileError,
  type FsNode,
  normalisePath,
  plant,
} from '../files.ts';

/** Scripts are rewritten so that each command appends to these (see instrument.ts). */
export const OUT = '/dev/.out';
export const ERR = '/dev/.err';
/** Commands of the driver itself: never in a listing, always found. */
export const HIDDEN = '__';

export interface OutputSink {
  stdout(chunk: string | Uint8Array): void;
  stderr(chunk: string | Uint8Array): void;
  /** A file could not be opened for writing; the library says only that, not why. */
  refused(why: FileError): void;
}

const DEVICES = new Set(['/dev/null', '/dev/stdin', '/dev/stdout', '/dev/stderr', '/dev/zero', '/dev/tty']);

function latin1(content: Uint8Array): any {
  return Buffer.from(content).toString('latin1');
}

/** `readable` makes virtual files (under /proc) on demand. */
export function shellFileSystem(
  files: ContainerFileSystem,
  sink: OutputSink,
  pause: () => Promise<void>,
  readable: (path: string) => string | undefined,
): IFileSystem {
  const name = (path: string) => path.slice(path.lastIndexOf('/') + 1);
  // The library runs registered commands from these folders only.
  const isHidden = (path: string) => /^\/(usr\/)?bin\/[^/]+$/.test(path) && name(path).startsWith(HIDDEN);
  const statOf = (node: FsNode): FsStat => ({
    isFile: node.kind === 'file',
    isDirectory: node.kind === 'dir',
    isSymbolicLink: node.kind === 'link',
    mode: node.mode,
    size: node.kind === 'file' ? bytesOf(node).length : node.kind === 'dir' ? 4096 : node.target.length,
    mtime: new Date(node.mtime),
  });
  const virtual: FsStat = {
    isFile: true,
    isDirectory: false,
    isSymbolicLink: false,
    mode: 0o755,
    size: 0,
    mtime: new Date(0),
  };
  const output = async (path: string, content: string | Uint8Array): Promise<boolean> => {
    if (path === OUT || path === ERR) {
      if (content.length > 0) path === OUT ? sink.stdout(content) : sink.stderr(content);
      await pause();
      return true;
    }
    return DEVICES.has(path);
  };
  const bytes = (content: string | Uint8Array, encoding: unknown): string | Uint8Array => {
    const kind =
      typeof encoding === 'string' ? encoding : (encoding as { encoding?: string } | undefined)?.encoding;
    return typeof content === 'string' && (kind === 'binary' || kind === 'latin1')
      ? Buffer.from(content, 'latin1')
      : content;
  };
  const read = (path: string): Uint8Array => {
    if (DEVICES.has(path)) return new Uint8Array();
    const made = readable(path);
    return made === undefined ? files.readBytes(path) : Buffer.from(made);
  };
  /** The library opens a file by writing nothing to it. */
  const opening = (content: string | Uint8Array, write: () => void): void => {
    try {
      write();
    } catch (error) {
      if (content.length === 0 && error instanceof FileError) sink.refused(error);
      throw error;
    }
  };
  const need = (path: string, follow = true): FsNode => {
    const node = files.find(path, follow);
    if (!node) throw new FileError('ENOENT', path);
    return node;
  };

  return {
    async readFile(path, options) {
      const kind = typeof options === 'string' ? options : options?.encoding;
      const content = Buffer.from(read(normalisePath(path)));
      return content.toString((kind as BufferEncoding | null) ?? 'utf8');
    },
    async readFileBytes(path) {
      return latin1(read(normalisePath(path)));
    },
    async readFileBuffer(path) {
      return read(normalisePath(path));
    },
    async writeFile(path, content, options) {
      const at = normalisePath(path);
      const value = bytes(content, options);
      if (!(await output(at, value))) opening(value, () => files.write(at, value));
    },
    async appendFile(path, content, options) {
      const at = normalisePath(path);
      const value = bytes(content, options);
      if (!(await output(at, value))) opening(value, () => files.append(at, value));
    },
    async exists(path) {
      const at = normalisePath(path);
      return (
        isHidden(at) ||
        DEVICES.has(at) ||
        at === OUT ||
        at === ERR ||
        readable(at) !== undefined ||
        files.exists(at)
      );
    },
    async stat(path) {
      const at = normalisePath(path);
      if (isHidden(at) || DEVICES.has(at) || at === OUT || at === ERR || readable(at) !== undefined)
        return virtual;
      return statOf(need(at));
    },
    async lstat(path) {
      const at = normalisePath(path);
      if (isHidden(at) || DEVICES.has(at) || at === OUT || at === ERR || readable(at) !== undefined)
        return virtual;
      return statOf(need(at, false));
    },
    async mkdir(path, options) {
      files.mkdir(path, options?.recursive ?? false);
    },
    async readdir(path) {
      const node = need(path);
      if (node.kind !== 'dir') throw new FileError('ENOTDIR', path);
      return files.list(path);
    },
    async readdirWithFileTypes(path) {
      const node = need(path);
      if (node.kind !== 'dir') throw new FileError('ENOTDIR', path);
      return files.list(path).map(entry => {
        const child = files.find(`${normalisePath(path)}/${entry}`, false);
        return {
          name: entry,
          isFile: child?.kind === 'file',
          isDirectory: child?.kind === 'dir',
          isSymbolicLink: child?.kind === 'link',
        };
      });
    },
    async rm(path, options) {
      const node = files.find(path, false);
      if (!node) {
        if (options?.force) return;
        throw new FileError('ENOENT', path);
      }
      if (node.kind === 'dir' && node.children.size > 0 && !options?.recursive)
        throw new FileError('ENOTEMPTY', path);
      files.remove(path);
    },
    async cp(src, dest, options) {
      const node = need(src);
      if (node.kind === 'dir' && !options?.recursive) throw new FileError('EISDIR', src);
      if (node.kind === 'file') files.write(dest, bytesOf(node));
      else {
        const copy = (from: FsNode): FsNode =>
          from.kind === 'dir'
            ? { ...from, children: new Map([...from.children].map(([k, v]) => [k, copy(v)])) }
            : { ...from };
        files.place(dest, copy(node));
      }
    },
    async mv(src, dest) {
      const node = need(src, false);
      files.place(dest, node);
      files.remove(src);
    },
    resolvePath: (base, path) => normalisePath(path.startsWith('/') ? path : `${base}/${path}`),
    getAllPaths() {
      const found: string[] = [];
      const walk = (at: string, depth: number) => {
        found.push(at);
        if (depth > 12 || found.length > 20_000) return;
        const node = files.find(at, false);
        if (node?.kind !== 'dir') return;
        for (const child of node.children.keys())
          walk(at === '/' ? `/${child}` : `${at}/${child}`, depth + 1);
      };
      walk('/', 0);
      return found;
    },
    async chmod(path, mode) {
      need(path).mode = mode;
    },
    async symlink(target, linkPath) {
      files.link(linkPath, target);
    },
    async link(existingPath, newPath) {
      if (files.exists(newPath)) throw new FileError('EEXIST', newPath);
      files.place(newPath, need(existingPath));
    },
    async readlink(path) {
      const node = need(path, false);
      if (node.kind !== 'link') throw new FileError('ENOENT', path);
      return node.target;
    },
    async realpath(path) {
      return files.realPath(path);
    },
    async utimes(path, _atime, mtime) {
      need(path).mtime = mtime.getTime();
    },
  };
}

/** Puts an empty executable at each path, so that listings and lookups find the image's commands. */
export function plantCommands(
  files: ContainerFileSystem,
  folder: string,
  names: readonly string[],
  now: number,
): void {
  const dir = directory(now);
  for (const command of names) plant(dir, command, { kind: 'file', content: '', mode: 0o755, mtime: now });
  for (const [key, node] of dir.children) plant(files.root, `${folder}/${key}`, node);
}
