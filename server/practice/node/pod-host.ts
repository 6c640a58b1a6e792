// What the kubelet offers to each of its pods. Types only.

import type { Clock } from '../../clock.ts';
import type { ApiClient, EventRecorder, KubeObject } from '../../kube/index.ts';
import type { Random } from '../../random.ts';
import type { AddressPool, ByteStream, ClusterNetwork } from '../network/index.ts';
import type { DirNode, FileNode } from '../programs/index.ts';
import type { NodeImages } from './images.ts';
import type { LogBuffer } from './logs.ts';

/** A pod that wants to run on this node. */
export interface Candidate {
  readonly pod: KubeObject;
  readonly isMirror: boolean;
  readonly active: boolean;
}

export interface User {
  name: string;
  groups: string[];
}

/** What the kubelet offers to each of its pods. */
export interface PodHost {
  nodeName: string;
  hostIP: string;
  clock: Clock;
  random: Random;
  client: ApiClient;
  clientFor(user: User): ApiClient;
  events: EventRecorder;
  images: NodeImages;
  network: ClusterNetwork;
  addresses: AddressPool;
  allocatable: Record<string, string>;
  services(): KubeObject[];
  hostDirectory(path: string, create: boolean): DirNode | FileNode | undefined;
  /** Why this pod may not run here; undefined when it may. */
  admit(candidate: Candidate): { reason: string; message: string } | undefined;
  /** The other pods here, with what is granted to them. */
  heldBeside(candidate: Candidate): KubeObject[];
  /** A pod ended or asks for less: who waits for room may look again. */
  roomChanged(): void;
  /** Logs of containers that ended, by container id: like files on the node's disk they outlive a restart of the kubelet. */
  keptLogs: Map<string, LogBuffer>;
  /** A bug or an unexpected answer; never the learner's fault. */
  fault(where: string, error: unknown): void;
  /** The API server's own port, for the program that plays it. */
  apiServer?: () => Promise<ByteStream>;
}
