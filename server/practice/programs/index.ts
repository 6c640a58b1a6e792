// The only door of the programs folder: the image catalogue and what each image does when it runs.

import { calico } from './calico.ts';
import { catalogue } from './catalogue.ts';
import { dashboard } from './dashboard/index.ts';
import { dependents } from './dependents.ts';
import { dex } from './dex/index.ts';
import { generalServer } from './general.ts';
import { ingressNginx } from './ingress-nginx/index.ts';
import { pilot } from './istio/pilot.ts';
import { proxy } from './istio/proxy.ts';
import { katib } from './katib/index.ts';
import { kserve } from './kserve/index.ts';
import { kubeSystem } from './kube-system.ts';
import { loads } from './load.ts';
import { modelRegistry } from './model-registry/index.ts';
import { mysql } from './mysql/index.ts';
import { notebooks } from './notebooks/index.ts';
import { oauth2Proxy } from './oauth2-proxy/index.ts';
import { pause } from './pause.ts';
import { redis } from './redis/index.ts';
import type { ImageReference } from './reference.ts';
import { shellImages } from './shell-images.ts';
import { sparkPrograms } from './spark/index.ts';
import { training } from './training/index.ts';
import type { ImageEntry, Program } from './types.ts';
import { webServers } from './web-servers.ts';

export { ExecStartError, runExec } from './exec.ts';
export { startRefusal } from './executable.ts';
export type { DirNode, FileNode, FsNode, LinkNode } from './files.ts';
export {
  bytesOf,
  ContainerFileSystem,
  directory,
  file,
  MAX_LINKS,
  normalisePath,
  plant,
  treeBytes,
} from './files.ts';
export { quantityNumber } from './quantity.ts';
export type { ImageReference } from './reference.ts';
export { InvalidReference, parseReference } from './reference.ts';
export type { ImageRegistry } from './registries.ts';
export { registries } from './registries.ts';
export type {
  Container,
  ContainerStdin,
  ExecIo,
  HostNetwork,
  HttpRequest,
  HttpResponse,
  ImageEntry,
  Program,
} from './types.ts';
export { catalogue };

/** Looked through in order; the first whose image pattern fits runs. */
export const programs: readonly Program[] = [
  pause,
  ...kubeSystem,
  ...shellImages,
  ...webServers,
  ...loads,
  redis,
  mysql('docker.io/library/mysql'),
  mysql('gcr.io/ml-pipeline/mysql'),
  pilot,
  { ...pilot, image: 'registry.istio.io/release/pilot' },
  ...calico,
  proxy,
  { ...proxy, image: 'registry.istio.io/release/proxyv2' },
  dex,
  oauth2Proxy,
  ...dashboard,
  ...dependents,
  ...kserve,
  ...katib,
  ...sparkPrograms,
  ...notebooks,
  ...ingressNginx,
  ...training,
  ...modelRegistry,
  generalServer,
];

const byRepository = new Map(catalogue.map(entry => [entry.repository, entry]));

/** What a registry holds in this repository; undefined when there is no such repository. */
export const imageEntry = (repository: string): ImageEntry | undefined => byRepository.get(repository);

/** Compressed size in bytes of what a registry holds under this reference; undefined when nothing is there. */
export function imageSize(reference: ImageReference): number | undefined {
  return imageEntry(reference.repository)?.tags[reference.digest ?? reference.tag ?? 'latest'];
}

/** What runs in a container of this repository; an image nobody wrote a program for gets the general one. */
export function programFor(repository: string): Program {
  const found = programs.find(p =>
    p.image.endsWith('/*') ? repository.startsWith(p.image.slice(0, -1)) : p.image === repository,
  );
  return found ?? generalServer;
}
