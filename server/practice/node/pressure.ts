// The kubelet's eviction manager: looks every ten seconds whether memory and disk suffice, says so on the node, makes room,
// and turns pods away meanwhile. Knows its node's pods, not how they run.

import type { Clock } from '../../clock.ts';
import { quantityNumber } from '../programs/index.ts';
import {
  chooseVictim,
  type Evictable,
  evictionMessage,
  isCritical,
  type PodUse,
  type Scarce,
} from './eviction.ts';
import { brokenLimit, diskBytes, type PodStorage } from './storage-use.ts';

const ROUND_MS = 10_000;
/** How long a node keeps saying that it is short after it no longer is. */
const HOLD_MS = 300_000;
/** The kubelet's default hard threshold memory.available<100Mi. */
const MEMORY_THRESHOLD = { bytes: 100 * 1024 * 1024, shown: '100Mi' };
/** nodefs.available<10% and imagefs.available<15%; both lie on one disk here, so the larger is met first. */
const DISK_THRESHOLD = 0.15;

export type Condition = 'MemoryPressure' | 'DiskPressure';

export interface Pressed extends Evictable {
  storage(): PodStorage;
  evict(reason: string, message: string): void;
}

export interface NodeView<P extends Pressed> {
  clock: Clock;
  /** Quantities. */
  capacity: Record<string, string>;
  memory(): { usedBytes: number; pods: PodUse<P>[] };
  pods(): Iterable<P>;
  /** Bytes on the disk that are not a pod's: the system and images. */
  diskBase(): number;
  /** Removes images that no container uses. */
  dropImages(): void;
  evicted(worker: P, message: string): void;
  reclaiming(scarce: Scarce): void;
  show(condition: Condition, pressed: boolean): void;
}

export class EvictionManager<P extends Pressed> {
  private readonly node: NodeView<P>;
  private readonly pressedAt = new Map<Condition, number>();
  private stopped = true;

  constructor(node: NodeView<P>) {
    this.node = node;
  }

  start(): void {
    this.stopped = false;
    this.later();
  }

  stop(): void {
    this.stopped = true;
  }

  private later(): void {
    this.node.clock.after(ROUND_MS, () => {
      if (this.stopped) return;
      try {
        this.round();
      } finally {
        this.later();
      }
    });
  }

  private round(): void {
    // A pod beyond its own limits goes whatever the node has to spare, and that round ends with it.
    let evicted = false;
    for (const worker of this.node.pods()) {
      const message = worker.active && !worker.isMirror && brokenLimit(worker.pod['spec'], worker.storage());
      if (message) this.evict(worker, message);
      evicted ||= Boolean(message);
    }
    const short = evicted ? [] : [this.memory(), this.disk()].filter(s => s !== undefined);
    if (short[0]) this.reclaim(short[0]);
    for (const condition of ['MemoryPressure', 'DiskPressure'] as const)
      this.node.show(condition, this.isPressed(condition));
  }

  private evict(worker: P, message: string): void {
    this.node.evicted(worker, message);
    worker.evict('Evicted', message);
  }

  private isPressed(condition: Condition): boolean {
    const at = this.pressedAt.get(condition);
    return at !== undefined && this.node.clock.now() - at < HOLD_MS;
  }

  private memory(): Shortage<P> | undefined {
    const { usedBytes, pods } = this.node.memory();
    const available = quantityNumber(this.node.capacity['memory']) - usedBytes;
    if (available >= MEMORY_THRESHOLD.bytes) return undefined;
    this.pressedAt.set('MemoryPressure', this.node.clock.now());
    return { scarce: 'memory', available, threshold: MEMORY_THRESHOLD.shown, pods };
  }

  private disk(): Shortage<P> | undefined {
    const look = () => {
      const pods = [...this.node.pods()].map(worker => {
        const storage = worker.storage();
        return { worker, total: diskBytes(storage), containers: storage.containers };
      });
      const used = pods.reduce((sum, p) => sum + p.total, this.node.diskBase());
      return { pods, available: quantityNumber(this.node.capacity['ephemeral-storage']) - used };
    };
    const threshold = Math.floor(quantityNumber(this.node.capacity['ephemeral-storage']) * DISK_THRESHOLD);
    const { pods, available } = look();
    if (available >= threshold) return undefined;
    this.pressedAt.set('DiskPressure', this.node.clock.now());
    return {
      scarce: 'ephemeral-storage',
      available,
      threshold: String(threshold),
      pods,
      // Images that nobody uses go before pods do.
      suffices: () => {
        this.node.dropImages();
        return look().available >= threshold;
      },
    };
  }

  private reclaim({ scarce, available, threshold, pods, suffices }: Shortage<P>): void {
    this.node.reclaiming(scarce);
    if (suffices?.()) return;
    const victim = chooseVictim(scarce, pods);
    if (victim) this.evict(victim.worker, evictionMessage(scarce, victim, threshold, available));
  }

  /** Why a pod is turned away while the node is short; undefined when it may come. */
  refusal(candidate: Evictable): { reason: string; message: string } | undefined {
    const pressures = (['MemoryPressure', 'DiskPressure'] as const).filter(c => this.isPressed(c));
    if (pressures.length === 0 || isCritical(candidate)) return undefined;
    if (pressures.length === 1 && pressures[0] === 'MemoryPressure') {
      if (candidate.pod['status']?.qosClass !== 'BestEffort') return undefined;
      if (tolerates(candidate.pod['spec'], 'node.kubernetes.io/memory-pressure')) return undefined;
    }
    return { reason: 'Evicted', message: `The node had condition: [${pressures.join(' ')}]. ` };
  }
}

interface Shortage<P extends Evictable> {
  scarce: Scarce;
  available: number;
  threshold: string;
  pods: PodUse<P>[];
  /** Makes room without ending a pod, and says whether that was enough. */
  suffices?(): boolean;
}

const tolerates = (spec: any, taint: string): boolean =>
  (spec?.tolerations ?? []).some(
    (t: any) =>
      (!t.effect || t.effect === 'NoSchedule') &&
      ((t.operator === 'Exists' && (!t.key || t.key === taint)) || (t.key === taint && !t.value)),
  );
