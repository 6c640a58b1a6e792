// What a check is to whoever runs one: a spec and a place to look in, a verdict out. Knows no labs, steps or sessions.

import type { CheckState, Finding, Text } from '#common/protocol/index.ts';
import type { Clock } from '../clock.ts';
import type { KubeWatch } from './kube-watch.ts';

/** One command line that ran (or runs) in the learner's terminal. */
export interface CommandRun {
  /** Unique within its source. */
  id: string;
  terminal: string;
  /** As typed: `kubectl describe pod -n istio-system -l app=istio-ingressgateway`. */
  line: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
  /** Absent while it runs. */
  endedAt?: number;
  exit?: number;
  /** What it printed so far, as text without escape sequences; the last 64 KB when it was more. */
  output: string;
}

/** What ran in a session's terminals; the terminal module or a test is behind it. */
export interface CommandSource {
  /** Every command seen so far, oldest first; a few hundred are enough. */
  recent(): readonly CommandRun[];
  /** Called when a command starts, prints (throttled), and ends. Returns what stops it. */
  subscribe(listener: (run: CommandRun) => void): () => void;
}

/** What a check says. `holds` and the bad news carry what was seen; `could-not-look` is ours, not the learner's. */
export interface Verdict {
  state: CheckState;
  /** What was seen, as a sentence; of what holds, its name is enough. */
  said?: Text;
  findings?: Finding[];
  /** The object that came closest; for the side-by-side and for diagnoses. */
  seen?: unknown;
}

/** Where a check looks. */
export interface CheckContext {
  kube: KubeWatch;
  commands: CommandSource;
  /** The learner's home folder; `~/x` in a lab is a file below it. */
  home: string;
  clock: Clock;
  /** What ran before this moment does not count. Milliseconds since the epoch. */
  since: number;
  /** When the turn of what is checked came; later than `since` where other steps go before. Milliseconds since the epoch. */
  opened: number;
  /** The learner's last answer to this check. */
  answer?: string;
  /** Where the lab's files are (scripts). */
  labFolder: string;
  /** Fires when nobody waits for the verdict any more. */
  signal: AbortSignal;
}

/** One kind of check: how its spec is judged now, and what to listen to so as to judge again at the right moment. */
export interface CheckKind<Spec = unknown> {
  name: string;
  /** Judges once, now. Throws only when it could not look; the message is a sentence. */
  run(spec: Spec, context: CheckContext): Promise<Verdict>;
  /** Calls `changed` whenever the verdict may have become another. Returns what stops it. */
  watch(spec: Spec, context: CheckContext, changed: () => void): () => void;
  /** True for a fact of the past (a command that ran, an answer that was right): once it holds it stays so. */
  latches: boolean;
}
