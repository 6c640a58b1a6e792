// A container's file system: the image's files, mounted volumes and what was written. Knows no container and no shell.

/** What one container may write before the disk is full: a runaway program must not fill the machine's memory. */
const MAX_WRITTEN_BYTES = 64 * 1024 * 1024;
/** Links followed on the way to one file. */
export const MAX_LINKS = 40;

export interface FileNode {
  kind: 'file';
  content: Uint8Array | string | (() => Uint8Array | string);
  mode: number;
  mtime: number;
}
export interface DirNode {
  kind: 'dir';
  children: Map<string, FsNode>;
  mode: number;
  mtime: number;
}
export interface LinkNode {
  kind: 'link';
  target: string;
  mode: number;
  mtime: number;
}
export type FsNode = FileNode | DirNode | LinkNode;

/** `code` is the errno name, `message` what libc says for it. */
export class FileError extends Error {
  readonly code:
    | 'ENOENT'
    | 'ENOTDIR'
    | 'EISDIR'
    | 'EROFS'
    | 'ENOSPC'
    | 'EEXIST'
    | 'ENOTEMPTY'
    | 'ELOOP'
    | 'EBUSY';
  constructor(code: FileError['code'], path: string) {
    super(`${MESSAGES[code]}, '${path}'`);
    this.name = 'FileError';
    this.code = code;
  }
}

const MESSAGES = {
  ENOENT: 'ENOENT: no such file or directory',
  ENOTDIR: 'ENOTDIR: not a directory',
  EISDIR: 'EISDIR: illegal operation on a directory',
  EROFS: 'EROFS: read-only file system',
  ENOSPC: 'ENOSPC: no space left on device',
  EEXIST: 'EEXIST: file already exists',
  ENOTEMPTY: 'ENOTEMPTY: directory not empty',
  ELOOP: 'ELOOP: too many symbolic links encountered',
  EBUSY: 'EBUSY: resource busy or locked',
};

export const directory = (mtime = 0, mode = 0o755): DirNode => ({
  kind: 'dir',
  children: new Map(),
  mode,
  mtime,
});
export const file = (content: FileNode['content'], mtime = 0, mode = 0o644): FileNode => ({
  kind: 'file',
  content,
  mode,
  mtime,
});

/** The bytes of a file node. */
export function bytesOf(node: FileNode): Uint8Array {
  const content = typeof node.content === 'function' ? node.content() : node.content;
  return typeof content === 'string' ? Buffer.from(content) : content;
}

/** Bytes in a tree of files; what is made up while it is read takes no room. */
export function treeBytes(node: FsNode): number {
  if (node.kind === 'link' || (node.kind === 'file' && typeof node.content === 'function')) return 0;
  if (node.kind === 'file') return Buffer.byteLength(node.content as string | Uint8Array);
  let bytes = 0;
  for (const child of node.children.values()) bytes += treeBytes(child);
  return bytes;
}

/** Absolute, without `.`, `..` and doubled slashes. */
export function normalisePath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** Puts a file below `root`, making directories on the way. */
export function plant(root: DirNode, path: string, node: FsNode): void {
  const parts = normalisePath(path).slice(1).split('/');
  let dir = root;
  for (const part of parts.slice(0, -1)) {
    let next = dir.children.get(part);
    if (next?.kind !== 'dir') {
      next = directory(node.mtime);
      dir.children.set(part, next);
    }
    dir = next;
  }
  dir.children.set(parts.at(-1)!, node);
}

interface Mount {
  node: DirNode | FileNode;
  readOnly: boolean;
}

export class ContainerFileSystem {
  readonly root: DirNode;
  private readonly mounts = new Map<string, Mount>();
  private readonly readOnlyRoot: boolean;
  private readonly now: () => number;
  private written = 0;
  /** Of the image, weighed before the first write. */
  private imageBytes: number | undefined;

  constructor(root: DirNode, options: { now: () => number; readOnlyRoot?: boolean }) {
    this.root = root;
    this.now = options.now;
    this.readOnlyRoot = options.readOnlyRoot ?? false;
  }

  mount(path: string, node: DirNode | FileNode, readOnly = false): void {
    const at = normalisePath(path);
    this.mounts.set(at, { node, readOnly });
    // The mount point shows in its parent's listing.
    const visible = node.kind === 'dir' ? directory(this.now()) : file('', this.now());
    if (at !== '/' && !this.find(at, false, true)) plant(this.root, at, visible);
  }

  mountPoints(): { path: string; readOnly: boolean }[] {
    return [...this.mounts].map(([path, m]) => ({ path, readOnly: m.readOnly }));
  }

  /** The node at `path`; undefined when there is none. Links on the way are followed, the last one when `follow`. */
  find(path: string, follow = true, ignoreMountAtEnd = false): FsNode | undefined {
    return this.resolve(normalisePath(path), follow, ignoreMountAtEnd, 0)?.node;
  }

  private resolve(
    path: string,
    follow: boolean,
    ignoreMountAtEnd: boolean,
    depth: number,
  ): { node: FsNode; path: string; readOnly: boolean } | undefined {
    if (depth > MAX_LINKS) throw new FileError('ELOOP', path);
    const parts = path === '/' ? [] : path.slice(1).split('/');
    const rootMount = this.mounts.get('/');
    let node: FsNode = rootMount?.node ?? this.root;
    let readOnly = rootMount?.readOnly ?? this.readOnlyRoot;
    let at = '';
    for (const [index, part] of parts.entries()) {
      if (node.kind !== 'dir') return undefined;
      at = `${at}/${part}`;
      const last = index === parts.length - 1;
      const mount = last && ignoreMountAtEnd ? undefined : this.mounts.get(at);
      const next: FsNode | undefined = mount?.node ?? node.children.get(part);
      if (!next) return undefined;
      if (mount) readOnly = mount.readOnly;
      if (next.kind === 'link' && (!last || follow)) {
        const base = next.target.startsWith('/')
          ? next.target
          : `${at.slice(0, at.lastIndexOf('/'))}/${next.target}`;
        const rest = parts.slice(index + 1).join('/');
        return this.resolve(normalisePath(`${base}/${rest}`), follow, ignoreMountAtEnd, depth + 1);
      }
      node = next;
    }
    return { node, path: path === '/' ? '/' : at, readOnly };
  }

  private parentOf(path: string): { dir: DirNode; name: string; readOnly: boolean } {
    const at = normalisePath(path);
    const slash = at.lastIndexOf('/');
    const found = this.resolve(slash <= 0 ? '/' : at.slice(0, slash), true, false, 0);
    if (!found) throw new FileError('ENOENT', path);
    if (found.node.kind !== 'dir') throw new FileError('ENOTDIR', path);
    return { dir: found.node, name: at.slice(slash + 1), readOnly: found.readOnly };
  }

  realPath(path: string): string {
    const found = this.resolve(normalisePath(path), true, false, 0);
    if (!found) throw new FileError('ENOENT', path);
    return found.path;
  }

  readBytes(path: string): Uint8Array {
    const node = this.find(path);
    if (!node) throw new FileError('ENOENT', path);
    if (node.kind !== 'file') throw new FileError('EISDIR', path);
    return bytesOf(node);
  }

  read(path: string): Uint8Array | undefined {
    const node = this.find(path);
    return node?.kind === 'file' ? bytesOf(node) : undefined;
  }

  readText(path: string): string | undefined {
    const content = this.read(path);
    return content === undefined ? undefined : Buffer.from(content).toString('utf8');
  }

  write(path: string, content: string | Uint8Array): void {
    const found = this.resolve(normalisePath(path), true, false, 0);
    if (found?.node.kind === 'dir') throw new FileError('EISDIR', path);
    this.charge(content.length, path);
    if (found?.node.kind === 'file') {
      if (found.readOnly) throw new FileError('EROFS', path);
      found.node.content = content;
      found.node.mtime = this.now();
      return;
    }
    const { dir, name, readOnly } = this.parentOf(path);
    if (readOnly) throw new FileError('EROFS', path);
    dir.children.set(name, file(content, this.now()));
    dir.mtime = this.now();
  }

  append(path: string, content: string | Uint8Array): void {
    const before = this.read(path);
    const more = typeof content === 'string' ? Buffer.from(content) : content;
    this.write(path, before === undefined ? more : Buffer.concat([before, more]));
    if (before) this.written -= before.length;
  }

  private charge(bytes: number, path: string): void {
    this.imageBytes ??= treeBytes(this.root);
    if (this.written + bytes > MAX_WRITTEN_BYTES) throw new FileError('ENOSPC', path);
    this.written += bytes;
  }

  /** Bytes written beside the volumes since the start. */
  layerBytes(): number {
    if (this.written === 0) return 0;
    return Math.max(0, treeBytes(this.root) - (this.imageBytes ?? 0));
  }

  list(path: string): string[] {
    const node = this.find(path);
    return node?.kind === 'dir' ? [...node.children.keys()].sort() : [];
  }

  exists(path: string): boolean {
    return this.find(path) !== undefined;
  }

  isFolder(path: string): boolean {
    return this.find(path)?.kind === 'dir';
  }

  mkdir(path: string, recursive = false): void {
    const at = normalisePath(path);
    const present = this.find(at);
    if (present) {
      if (recursive && present.kind === 'dir') return;
      throw new FileError('EEXIST', path);
    }
    if (recursive) {
      const parent = at.slice(0, at.lastIndexOf('/')) || '/';
      if (!this.find(parent)) this.mkdir(parent, true);
    }
    const { dir, name, readOnly } = this.parentOf(at);
    if (readOnly) throw new FileError('EROFS', path);
    dir.children.set(name, directory(this.now()));
  }

  link(path: string, target: string): void {
    if (this.find(path, false)) throw new FileError('EEXIST', path);
    const { dir, name, readOnly } = this.parentOf(path);
    if (readOnly) throw new FileError('EROFS', path);
    dir.children.set(name, { kind: 'link', target, mode: 0o777, mtime: this.now() });
  }

  /** Puts an existing node at a second place (hard link, move). */
  place(path: string, node: FsNode): void {
    const { dir, name, readOnly } = this.parentOf(path);
    if (readOnly) throw new FileError('EROFS', path);
    dir.children.set(name, node);
  }

  remove(path: string): void {
    const at = normalisePath(path);
    if (this.mounts.has(at)) throw new FileError('EBUSY', path);
    if (!this.find(at, false)) return;
    const { dir, name, readOnly } = this.parentOf(at);
    if (readOnly) throw new FileError('EROFS', path);
    dir.children.delete(name);
    dir.mtime = this.now();
  }
}
