// Builds the volumes of a pod as directories of files. Knows how each kind of volume is filled and what goes wrong,
// not who mounts it where.

import type { KubeObject } from '../../kube/index.ts';
import { type DirNode, directory, type FileNode } from '../programs/index.ts';
import { atomicFiles } from './atomic-files.ts';
import { type EnvSources, fieldValue, resourceValue } from './env.ts';

/** Why a volume cannot be mounted, in the kubelet's words after `MountVolume.SetUp failed for volume "v" : `. */
export class MountError extends Error {}

export interface VolumeSources extends EnvSources {
  /** A token of the pod's service account; rejects with what upstream says. */
  token(request: { audience?: string; expirationSeconds?: number }): Promise<string>;
  claim(name: string): Promise<KubeObject | undefined>;
  persistentVolume(name: string): Promise<KubeObject | undefined>;
  /** The node's own directory at this path; made when `create`. */
  hostDirectory(path: string, create: boolean): DirNode | FileNode | undefined;
  now: number;
}

/** The kinds whose content follows an API object and is refreshed while the pod runs. */
export const isRefreshed = (volume: any) =>
  Boolean(volume.configMap || volume.secret || volume.projected || volume.downwardAPI);

/** Fills `into` (or a new directory) with what the volume holds now. */
export async function buildVolume(
  volume: any,
  pod: KubeObject,
  sources: VolumeSources,
): Promise<DirNode | FileNode> {
  if (isRefreshed(volume)) {
    const { defaultMode = 0o644 } =
      volume.configMap ?? volume.secret ?? volume.projected ?? volume.downwardAPI;
    const files = (await filesOf(volume, pod, sources)).map(f => ({ ...f, mode: f.mode ?? defaultMode }));
    return atomicFiles(files, sources.now, `${pod.metadata.uid} ${volume.name} ${sources.now}`);
  }
  if (volume.hostPath) return hostPath(volume.hostPath, sources);
  if (volume.persistentVolumeClaim) return claimed(volume.persistentVolumeClaim.claimName, sources);
  if (volume.ephemeral) return claimed(`${pod.metadata.name}-${volume.name}`, sources);
  if (volume.emptyDir) return emptyDirectory(pod, volume.name, sources);
  // Any other kind starts as an empty directory too, since nothing stands behind it here.
  return directory(sources.now, 0o777);
}

type Files = { path: string; content: Uint8Array; mode?: number }[];

async function filesOf(volume: any, pod: KubeObject, sources: VolumeSources): Promise<Files> {
  if (volume.configMap) return fromConfigMap(volume.configMap, sources);
  if (volume.secret) return fromSecret({ ...volume.secret, name: volume.secret.secretName }, sources);
  if (volume.downwardAPI) return downward(volume.downwardAPI.items ?? [], pod, sources);
  return projected(volume.projected, pod, sources);
}

async function fromConfigMap(source: any, sources: VolumeSources): Promise<Files> {
  const map = await sources.configMap(source.name);
  if (!map) {
    if (source.optional) return [];
    throw new MountError(`configmap "${source.name}" not found`);
  }
  const data: Record<string, Uint8Array> = {};
  for (const [key, value] of Object.entries(map['data'] ?? {})) data[key] = Buffer.from(String(value));
  for (const [key, value] of Object.entries(map['binaryData'] ?? {}))
    data[key] = Buffer.from(String(value), 'base64');
  return chosen(data, source);
}

async function fromSecret(source: any, sources: VolumeSources): Promise<Files> {
  const secret = await sources.secret(source.name);
  if (!secret) {
    if (source.optional) return [];
    throw new MountError(`secret "${source.name}" not found`);
  }
  const data: Record<string, Uint8Array> = {};
  for (const [key, value] of Object.entries(secret['data'] ?? {}))
    data[key] = Buffer.from(String(value), 'base64');
  return chosen(data, source);
}

function chosen(data: Record<string, Uint8Array>, source: any): Files {
  if (!source.items?.length) return Object.entries(data).map(([path, content]) => ({ path, content }));
  const files: Files = [];
  for (const item of source.items) {
    const content = data[item.key];
    if (content) files.push({ path: item.path, content, mode: item.mode });
    else if (!source.optional)
      throw new MountError(
        `references non-existent ${'secretName' in source ? 'secret' : 'config'} key: ${item.key}`,
      );
  }
  return files;
}

function downward(items: any[], pod: KubeObject, sources: VolumeSources): Files {
  return items.map(item => ({
    path: item.path,
    content: Buffer.from(
      item.fieldRef
        ? fieldValue(item.fieldRef.fieldPath, pod, sources)
        : resourceValue(item.resourceFieldRef, pod, { name: '' }, sources),
    ),
    mode: item.mode,
  }));
}

async function projected(source: any, pod: KubeObject, sources: VolumeSources): Promise<Files> {
  const files: Files = [];
  for (const part of source.sources ?? []) {
    if (part.configMap) files.push(...(await fromConfigMap(part.configMap, sources)));
    else if (part.secret) files.push(...(await fromSecret(part.secret, sources)));
    else if (part.downwardAPI) files.push(...downward(part.downwardAPI.items ?? [], pod, sources));
    else if (part.serviceAccountToken) {
      const token = await sources.token(part.serviceAccountToken);
      files.push({ path: part.serviceAccountToken.path, content: Buffer.from(token) });
    }
  }
  return files;
}

function hostPath(source: { path: string; type?: string }, sources: VolumeSources): DirNode | FileNode {
  const type = source.type ?? '';
  const create = type === '' || type.endsWith('OrCreate');
  const node = sources.hostDirectory(source.path, create);
  if (!node)
    throw new MountError(
      `hostPath type check failed: ${source.path} is not a ${type === 'File' ? 'file' : 'directory'}`,
    );
  if (type === 'File' && node.kind !== 'file')
    throw new MountError(`hostPath type check failed: ${source.path} is not a file`);
  if (type === 'Directory' && node.kind !== 'dir')
    throw new MountError(`hostPath type check failed: ${source.path} is not a directory`);
  return node;
}

/** Where a node keeps what belongs to one pod. */
export const podDirectory = (uid: string) => `/var/lib/kubelet/pods/${uid}`;

/** On the node's disk, where it outlives its containers, and a kubelet that takes the pod over finds it. */
function emptyDirectory(pod: KubeObject, name: string, sources: VolumeSources): DirNode | FileNode {
  const path = `${podDirectory(pod.metadata.uid ?? '')}/volumes/kubernetes.io~empty-dir/${name}`;
  const made = sources.hostDirectory(path, true);
  if (made?.kind !== 'dir') return directory(sources.now, 0o777);
  made.mode = 0o777;
  return made;
}

async function claimed(name: string, sources: VolumeSources): Promise<DirNode | FileNode> {
  const claim = await sources.claim(name);
  if (!claim) throw new MountError(`persistentvolumeclaim "${name}" not found`);
  const volumeName = claim['spec'].volumeName;
  if (!volumeName || claim['status']?.phase !== 'Bound') throw new MountError('PVC is not bound');
  const volume = await sources.persistentVolume(volumeName);
  if (!volume) throw new MountError(`persistentvolume "${volumeName}" not found`);
  const path =
    volume['spec'].hostPath?.path ?? volume['spec'].local?.path ?? `/var/lib/kubelet/plugins/${volumeName}`;
  return sources.hostDirectory(path, true) ?? directory(sources.now, 0o777);
}
