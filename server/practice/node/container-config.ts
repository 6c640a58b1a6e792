// What a container is started with: the program of its image, its environment, files and command line. Knows no lives.

import type { KubeObject } from '../../kube/index.ts';
import {
  type ContainerFileSystem,
  type DirNode,
  type FileNode,
  type Program,
  parseReference,
  programFor,
} from '../programs/index.ts';
import { containerFiles } from './container-files.ts';
import { commandOf, rootRefusal } from './container-setup.ts';
import { ConfigError, environmentOf } from './env.ts';
import type { PodWorld } from './pod-world.ts';

export interface ContainerConfig {
  /** Its canonical name. */
  image: string;
  program: Program;
  env: Record<string, string>;
  files: ContainerFileSystem;
  argv: string[];
}

/** Rejects with a ConfigError when its specification cannot be met now; one that is `resumed` was allowed to run before. */
export async function configure(
  pod: KubeObject,
  spec: any,
  world: PodWorld,
  place: { podIP: string; volumes: ReadonlyMap<string, DirNode | FileNode>; now: () => number },
  resumed: boolean,
): Promise<ContainerConfig> {
  const { canonical, repository } = parseReference(spec.image);
  const program = programFor(repository);
  const asRoot = resumed ? undefined : rootRefusal(pod, spec, program.config?.user);
  if (asRoot !== undefined) throw new ConfigError(asRoot);
  const env = await environmentOf(pod, spec, program.config?.env ?? {}, world.envSources());
  const files = containerFiles({ pod, spec, imageFiles: program.config?.files ?? {}, env, ...place });
  return { image: canonical, program, env, files, argv: commandOf(spec, program.config, env) };
}
