// Pods waiting for a node: those to try now, those pausing after a failure, those for which nothing has changed. Knows no nodes.

import type { Clock, Timer } from '../../../clock.ts';

/** Pause after the first failed attempt, doubling up to the longest; upstream's defaults in milliseconds. */
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 10_000;
/** A pod that nothing seems to help is tried again after this time all the same. */
const FORGOTTEN_AFTER = 300_000;
/** Places in the line are remembered for so many pods. */
const REMEMBERED = 10_000;

interface Entry {
  key: string;
  priority: number;
  /** Order of arrival, kept over attempts. */
  arrival: number;
  attempts: number;
  failedAt: number;
  state: 'active' | 'pausing' | 'stuck' | 'trying';
  timer?: Timer;
  /** Something happened while it was being tried. */
  nudged?: 'now' | 'later';
}

export interface SchedulingQueue {
  /** `id` names the pod itself: one that was here before (the cluster was rewound) takes its old place in the line. */
  add(key: string, priority: number, id?: string): void;
  remove(key: string): void;
  /** The most important pod to try next. */
  pop(): string | undefined;
  /** The attempt on `key` found no node: it waits until something changes. */
  failed(key: string): void;
  /** Try again at once (`now`), or after the pause its failures have earned. */
  wake(key: string, when: 'now' | 'later'): void;
  /** Pods that are not to be tried now, the most important first. */
  waiting(): string[];
  readonly empty: boolean;
  stop(): void;
}

export function createSchedulingQueue(clock: Clock, onActive: () => void): SchedulingQueue {
  const entries = new Map<string, Entry>();
  const active: Entry[] = [];
  let arrivals = 0;
  const arrived = new Map<string, number>();

  const before = (a: Entry, b: Entry) => b.priority - a.priority || a.arrival - b.arrival;
  const activate = (entry: Entry) => {
    entry.timer?.cancel();
    entry.state = 'active';
    // Nearly always the newcomer belongs at the end: look from there.
    let i = active.length;
    while (i > 0 && before(active[i - 1] as Entry, entry) > 0) i--;
    active.splice(i, 0, entry);
    onActive();
  };
  const pause = (entry: Entry) => {
    const earned = Math.min(FIRST_PAUSE * 2 ** (entry.attempts - 1), LONGEST_PAUSE);
    const left = entry.failedAt + earned - clock.now();
    if (left <= 0) return activate(entry);
    entry.timer?.cancel();
    entry.state = 'pausing';
    entry.timer = clock.after(left, () => activate(entry));
  };
  const wake = (entry: Entry, when: 'now' | 'later') => {
    if (entry.state === 'trying') entry.nudged = entry.nudged === 'now' ? 'now' : when;
    else if (entry.state === 'stuck' || (entry.state === 'pausing' && when === 'now'))
      when === 'now' ? activate(entry) : pause(entry);
  };

  return {
    add(key, priority, id = key) {
      if (entries.has(key)) return;
      const arrival = arrived.get(id) ?? arrivals++;
      if (arrived.size >= REMEMBERED) arrived.clear();
      arrived.set(id, arrival);
      const entry: Entry = { key, priority, arrival, attempts: 0, failedAt: 0, state: 'active' };
      entries.set(key, entry);
      activate(entry);
    },
    remove(key) {
      const entry = entries.get(key);
      if (!entry) return;
      entry.timer?.cancel();
      entries.delete(key);
      const i = active.indexOf(entry);
      if (i >= 0) active.splice(i, 1);
    },
    pop() {
      const entry = active.shift();
      if (!entry) return undefined;
      entry.state = 'trying';
      entry.nudged = undefined;
      entry.attempts++;
      return entry.key;
    },
    failed(key) {
      const entry = entries.get(key);
      if (entry?.state !== 'trying') return;
      entry.failedAt = clock.now();
      entry.state = 'stuck';
      entry.timer?.cancel();
      entry.timer = clock.after(FORGOTTEN_AFTER, () => wake(entry, 'later'));
      if (entry.nudged) wake(entry, entry.nudged);
    },
    wake(key, when) {
      const entry = entries.get(key);
      if (entry) wake(entry, when);
    },
    waiting: () =>
      [...entries.values()]
        .filter(e => e.state !== 'active')
        .sort(before)
        .map(e => e.key),
    get empty() {
      return active.length === 0;
    },
    stop() {
      for (const entry of entries.values()) entry.timer?.cancel();
      entries.clear();
      active.length = 0;
    },
  };
}
