// Keeps the map of one cluster current while somebody looks: shared watches through the kubeconfig, told as what changed. Cannot
// tell which cluster it is, and watches nothing while nobody looks.

import type { ClusterMap, Text } from '#common/protocol/index.ts';
import { type KubeWatch, openKubeWatch, whyNot } from '../check/index.ts';
import type { Clock, Timer } from '../clock.ts';
import { drawMap } from './view.ts';

/** Changes are gathered this long before they are told, in milliseconds: a burst is one message, and still looks live. */
const GATHER = 120;
/** The cluster could not be read: look again after this, in milliseconds. */
const AGAIN = 2000;

const WORKLOADS = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job'];
const KINDS = ['Node', 'Namespace', 'Pod', 'Event', ...WORKLOADS];

export type MapListener = (map: Partial<ClusterMap>, lost?: Text) => void;

export interface MapSource {
  /** Calls with all of the map as soon as it is known, then with the parts that changed. */
  subscribe(listener: MapListener): () => void;
  close(): void;
}

export interface MapOptions {
  kubeconfig: string;
  clock: Clock;
  /** Tests hand in their own view of a cluster. */
  open?: (kubeconfig: string, clock: Clock) => Promise<KubeWatch>;
}

export function createClusterMap({ kubeconfig, clock, open = openKubeWatch }: MapOptions): MapSource {
  const listeners = new Set<MapListener>();
  /** The last told state, each part with its text, so that only differences travel. */
  let told: { map: ClusterMap; texts: Map<keyof ClusterMap, string> } | undefined;
  let lost: Text | undefined;
  let stop: (() => void) | undefined;

  const start = (): (() => void) => {
    let stopped = false;
    let due = false;
    let watch: KubeWatch | undefined;
    let timer: Timer | undefined;
    const stops: (() => void)[] = [() => timer?.cancel()];

    const soon = (wait = GATHER) => {
      if (due || stopped) return;
      due = true;
      timer = clock.after(wait, look);
    };

    const look = async () => {
      try {
        if (!watch) {
          const opened = await open(kubeconfig, clock);
          if (stopped) return opened.close();
          watch = opened;
          for (const kind of KINDS) stops.push(watch.watch({ kind }, () => soon()));
        }
        // From here on a change is a reason to look once more.
        due = false;
        const [nodes, namespaces, pods, events, ...workloads] = await Promise.all(
          KINDS.map(kind => watch!.list({ kind })),
        );
        if (stopped) return;
        tell(
          drawMap({
            nodes: nodes!,
            namespaces: namespaces!,
            pods: pods!,
            events: events!,
            workloads: Object.fromEntries(WORKLOADS.map((kind, index) => [kind, workloads[index]!])),
          }),
        );
      } catch (error) {
        due = false;
        if (stopped) return;
        lost = whyNot(error);
        for (const listener of listeners) listener({}, lost);
        soon(AGAIN);
      }
    };

    due = true;
    void look();
    return () => {
      stopped = true;
      for (const one of stops) one();
      watch?.close();
      told = undefined;
      lost = undefined;
    };
  };

  const tell = (map: ClusterMap) => {
    const texts = new Map<keyof ClusterMap, string>();
    const changed: Partial<ClusterMap> = {};
    for (const part of Object.keys(map) as (keyof ClusterMap)[]) {
      const text = JSON.stringify(map[part]);
      texts.set(part, text);
      if (told?.texts.get(part) !== text) Object.assign(changed, { [part]: map[part] });
    }
    const found = lost !== undefined;
    told = { map, texts };
    lost = undefined;
    if (Object.keys(changed).length === 0 && !found) return;
    for (const listener of listeners) listener(changed);
  };

  return {
    subscribe(listener) {
      listeners.add(listener);
      if (told) listener(told.map, lost);
      stop ??= start();
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        stop?.();
        stop = undefined;
      };
    },
    close() {
      listeners.clear();
      stop?.();
      stop = undefined;
    },
  };
}
