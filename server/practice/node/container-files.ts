// The file system that a container starts with: its image's files, the runtime's own, and its mounts. Knows no process.

import type { KubeObject } from '../../kube/index.ts';
import {
  ContainerFileSystem,
  type DirNode,
  directory,
  type FileNode,
  file,
  plant,
} from '../programs/index.ts';
import { below, hostsFile, resolvConf } from './container-setup.ts';
import { expand } from './env.ts';
import { isRefreshed } from './volumes.ts';

export const terminationMessagePath = (spec: any): string =>
  spec.terminationMessagePath ?? '/dev/termination-log';

export function containerFiles(options: {
  pod: KubeObject;
  spec: any;
  imageFiles: Record<string, string>;
  env: Record<string, string>;
  podIP: string;
  volumes: ReadonlyMap<string, DirNode | FileNode>;
  now: () => number;
}): ContainerFileSystem {
  const { pod, spec, env, volumes } = options;
  const now = options.now();
  const root = directory(now);
  for (const path of ['bin', 'dev', 'etc', 'proc', 'root', 'sys', 'tmp', 'usr', 'var'])
    root.children.set(path, directory(now, path === 'tmp' ? 0o1777 : 0o755));
  for (const [path, content] of Object.entries(options.imageFiles)) plant(root, path, file(content, now));
  plant(root, '/etc/hostname', file(`${env['HOSTNAME']}\n`, now));
  plant(root, '/etc/resolv.conf', file(resolvConf(pod, pod.metadata.namespace!), now));
  plant(root, '/etc/hosts', file(hostsFile(pod, options.podIP, env['HOSTNAME']!), now));
  const files = new ContainerFileSystem(root, {
    now: options.now,
    readOnlyRoot: spec.securityContext?.readOnlyRootFilesystem === true,
  });
  // What is made from API objects no container may write to, whatever its mount says.
  const fixed = new Set((pod['spec'].volumes ?? []).filter(isRefreshed).map((v: any) => v.name));
  for (const mount of spec.volumeMounts ?? []) {
    const volume = volumes.get(mount.name);
    if (!volume) continue;
    const subPath = mount.subPathExpr ? expand(mount.subPathExpr, env) : mount.subPath;
    const node = subPath ? below(volume, subPath, now) : volume;
    files.mount(mount.mountPath, node, mount.readOnly === true || fixed.has(mount.name));
  }
  const message = terminationMessagePath(spec);
  if (!files.exists(message)) files.mount(message, file('', now));
  return files;
}
