// Files made from API objects, laid out as the kubelet's atomic writer does: they lie in a dated folder that the link
// `..data` names, each key is a link through it, and an update is one change of `..data`. Knows no API object.

import {
  bytesOf,
  type DirNode,
  directory,
  type FsNode,
  file,
  type LinkNode,
  plant,
} from '../programs/index.ts';
import { sha256 } from './digest.ts';

const DATA = '..data';

export interface PlacedFile {
  path: string;
  content: Uint8Array;
  mode: number;
}

const link = (target: string, mtime: number): LinkNode => ({ kind: 'link', target, mode: 0o777, mtime });

/** `..2026_11_23_23_10_00.2873412049`; the digits are those of `salt`. */
function datedName(now: number, salt: string): string {
  const at = new Date(now).toISOString().slice(0, 19).replace(/\D/g, '_');
  return `..${at}.${Number.parseInt(sha256(salt).slice(-8), 16)}`;
}

export function atomicFiles(files: readonly PlacedFile[], now: number, salt: string): DirNode {
  const dated = directory(now);
  for (const { path, content, mode } of files) plant(dated, path, file(content, now, mode));
  const name = datedName(now, salt);
  const root = directory(now, 0o777);
  root.children.set(name, dated);
  root.children.set(DATA, link(name, now));
  for (const key of dated.children.keys()) root.children.set(key, link(`${DATA}/${key}`, now));
  return root;
}

function dataOf(volume: DirNode): FsNode | undefined {
  const data = volume.children.get(DATA);
  return data?.kind === 'link' ? volume.children.get(data.target) : undefined;
}

function same(a: FsNode | undefined, b: FsNode | undefined): boolean {
  if (a?.kind === 'file' && b?.kind === 'file')
    return a.mode === b.mode && Buffer.compare(bytesOf(a), bytesOf(b)) === 0;
  if (a?.kind !== 'dir' || b?.kind !== 'dir' || a.children.size !== b.children.size) return false;
  return [...a.children].every(([name, node]) => same(node, b.children.get(name)));
}

/** Brings a volume up to date at one stroke; what did not change stays as it lies there. */
export function swapFiles(volume: DirNode, fresh: DirNode): void {
  if (same(dataOf(volume), dataOf(fresh))) return;
  const children = new Map(fresh.children);
  for (const [name, node] of volume.children)
    if (node.kind === 'link' && name !== DATA && children.has(name)) children.set(name, node);
  volume.children = children;
  volume.mtime = fresh.mtime;
}
