// The volumes of one pod: mounted with patience before its containers start, and looked at again while it is there. Knows no
// containers.

import type { Timer } from '../../clock.ts';
import type { KubeObject } from '../../kube/index.ts';
import type { DirNode, FileNode } from '../programs/index.ts';
import type { PodHost } from './pod-host.ts';
import type { PodWorld } from './pod-world.ts';
import { MountError } from './volumes.ts';

/** FailedMount is retried with a doubling delay between these. */
const MOUNT_RETRY_MS = { first: 500, last: 122_000 };
/** Volumes made from API objects are looked at again this often. */
const REFRESH_MS = 60_000;

interface Links {
  pod(): KubeObject;
  /** Whether the pod still wants to start. */
  wanted(): boolean;
  mounted(): void;
}

export class PodVolumes {
  /** By name, once all of them are there. */
  mounted: Map<string, DirNode | FileNode> | undefined;
  private readonly host: PodHost;
  private readonly world: PodWorld;
  private readonly links: Links;
  private mounting = false;
  private over = false;
  private timer: Timer | undefined;

  constructor(host: PodHost, world: PodWorld, links: Links) {
    this.host = host;
    this.world = world;
    this.links = links;
  }

  mount(): void {
    if (this.mounting) return;
    this.mounting = true;
    void this.mountUntilDone();
  }

  /** The pod has come to its end. */
  stop(): void {
    this.over = true;
    this.timer?.cancel();
  }

  private async mountUntilDone(): Promise<void> {
    let delay = MOUNT_RETRY_MS.first;
    while (this.links.wanted()) {
      try {
        const volumes = await this.world.buildVolumes();
        if (!this.links.wanted()) return;
        this.mounted = volumes;
        if (this.world.refreshes()) this.refreshLater(volumes);
        this.links.mounted();
        return;
      } catch (error) {
        const pod = this.links.pod();
        if (error instanceof MountError)
          this.host.events.record(pod, 'Warning', 'FailedMount', error.message);
        else this.host.fault(`volumes of ${pod.metadata.namespace}/${pod.metadata.name}`, error);
      }
      await this.host.clock.sleep(delay);
      delay = Math.min(delay * 2, MOUNT_RETRY_MS.last);
    }
  }

  private refreshLater(volumes: Map<string, DirNode | FileNode>): void {
    this.timer = this.host.clock.after(REFRESH_MS, async () => {
      try {
        await this.world.refreshVolumes(volumes);
      } finally {
        if (!this.over) this.refreshLater(volumes);
      }
    });
  }
}
