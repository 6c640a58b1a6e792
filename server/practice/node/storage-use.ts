// What a pod has on its node's disk, and which of its own limits that breaks. Knows files and numbers, no node.

import { type DirNode, type FileNode, quantityNumber, treeBytes } from '../programs/index.ts';

export interface PodStorage {
  /** Bytes that each container wrote beside its volumes, its log included. */
  containers: { name: string; bytes: number }[];
  emptyDirs: { name: string; bytes: number; inMemory: boolean; limit?: string }[];
}

export function emptyDirsOf(
  spec: any,
  volumes: ReadonlyMap<string, DirNode | FileNode> | undefined,
): PodStorage['emptyDirs'] {
  return (spec.volumes ?? [])
    .filter((v: any) => v.emptyDir)
    .map(({ name, emptyDir }: any) => {
      const node = volumes?.get(name);
      return {
        name,
        bytes: node ? treeBytes(node) : 0,
        inMemory: emptyDir.medium === 'Memory',
        ...(emptyDir.sizeLimit && emptyDir.sizeLimit !== '0' ? { limit: String(emptyDir.sizeLimit) } : {}),
      };
    });
}

/** All that counts against the disk, bytes. */
export const diskBytes = ({ containers, emptyDirs }: PodStorage): number =>
  containers.reduce((sum, c) => sum + c.bytes, 0) +
  emptyDirs.reduce((sum, e) => sum + (e.inMemory ? 0 : e.bytes), 0);

/** Why the pod must go for what it wrote, in the kubelet's words; undefined while it keeps within its limits. */
export function brokenLimit(spec: any, storage: PodStorage): string | undefined {
  for (const { name, bytes, limit } of storage.emptyDirs)
    if (limit && bytes > quantityNumber(limit))
      return `Usage of EmptyDir volume "${name}" exceeds the limit "${limit}". `;
  const limits = new Map<string, string>(
    (spec.containers ?? [])
      .map((c: any) => [c.name, c.resources?.limits?.['ephemeral-storage']])
      .filter(([, limit]: string[]) => limit !== undefined && quantityNumber(limit) > 0),
  );
  const total = [...limits.values()].reduce((sum, limit) => sum + quantityNumber(limit), 0);
  if (total > 0 && diskBytes(storage) > total) {
    const written = limits.size === 1 ? [...limits.values()][0] : shown(total);
    return `Pod ephemeral local storage usage exceeds the total limit of containers ${written}. `;
  }
  for (const { name, bytes } of storage.containers) {
    const limit = limits.get(name);
    if (limit && bytes > quantityNumber(limit))
      return `Container ${name} exceeded its local ephemeral storage limit "${limit}". `;
  }
  return undefined;
}

function shown(bytes: number): string {
  for (const [suffix, factor] of [
    ['Gi', 1024 ** 3],
    ['Mi', 1024 ** 2],
    ['Ki', 1024],
  ] as const)
    if (bytes % factor === 0) return `${bytes / factor}${suffix}`;
  return String(bytes);
}
