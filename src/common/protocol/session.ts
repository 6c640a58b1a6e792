// Messages on a session's WebSocket: JSON text, one message a frame. The page shows a session; the server owns it.
// The page sends wishes, the server answers with the whole new state of what changed, so that a reload needs no history.

import type { ClusterMap } from './map.ts';

export type Language = 'zh-TW' | 'en';

/** The same sentence in each language; the page picks. */
export type Text = Record<Language, string>;

export type ClusterKind = 'practice' | 'minikube';

/** One cluster that could stand behind a lab. */
export interface ClusterOffer {
  kind: ClusterKind;
  /** Profile name for minikube; absent for practice. */
  profile?: string;
  state: 'available' | 'stopped' | 'unavailable';
  /** One line: what it is, or why not and how to get it. */
  note: Text;
  /** Kubernetes version when known: `v1.36.2`. */
  version?: string;
}

/** `GET /api/status`. */
export interface ServerStatus {
  version: string;
  kubectl:
    | { state: 'found'; path: string; version: string; source: 'path' | 'cache' }
    | { state: 'missing' | 'too-old' | 'fetching' | 'offline'; note: Text; version?: string };
  sandbox: { tier: 'bwrap' | 'none'; note: Text };
  clusters: ClusterOffer[];
}

export interface TerminalInfo {
  /** Terminal sockets are `/ws/terminal/<id>`. */
  id: string;
  title: string;
}

/** A port that kubectl port-forward or proxy holds open in a terminal. `/open/<session>/<id>` shows it to the browser. */
export interface ForwardInfo {
  id: string;
  port: number;
  /** It is on this machine's own loopback: the browser goes there by itself. */
  direct?: boolean;
}

/** How a check looks to the learner. `wrong`: something is there but not as asked; `not-yet`: nothing to compare yet. */
export type CheckState = 'holds' | 'not-yet' | 'wrong' | 'could-not-look';

export interface Finding {
  /** `status.phase`; '' for the object as a whole. */
  path: string;
  expected: string;
  actual: string;
}

export interface CheckView {
  id: string;
  kind: string;
  state: CheckState;
  /** The sentence for the learner: what was seen, beside what was asked. */
  said?: Text;
  findings?: Finding[];
  /** Holds by itself as long as nobody breaks it: nothing to do for it. */
  guard?: boolean;
  /** For answers: the question, and the choices when it is one of several. */
  prompt?: Text;
  choices?: { id: string; text: Text }[];
  /** The learner's last answer, so that a reload keeps it. */
  answered?: string;
  /** Expected beside seen, line by line, where something is there that differs. */
  compare?: CompareLine[];
  /** For authors only. */
  author?: AuthorCheck;
}

/** One line of a side-by-side; a side without text has nothing there. */
export interface CompareLine {
  expected: string;
  seen: string;
  same: boolean;
}

/** What an author sees of a check while working on a lab. */
export interface AuthorCheck {
  /** The check as written, in YAML. */
  spec: string;
  /** How often it was looked at, and what the last and the longest look took, in milliseconds. */
  looks: number;
  lastMs: number;
  mostMs: number;
  /** Each object meant, with what keeps it from matching. */
  candidates: { name: string; findings: Finding[] }[];
}

/** One line of a solution: typed at the prompt, or an answer given to a question of the step. */
export type SolutionLine =
  | { kind: 'command'; text: string }
  | { kind: 'answer'; check: string; value: string; prompt: Text; shown: Text };

/** What a line of a solution would take from what the learner made. */
export interface Loss {
  objects: {
    /** `Deployment shop/web`. */
    name: string;
    /** The whole object goes; otherwise the fields named become others. */
    deleted: boolean;
    /** `becomes` is absent where the field goes. */
    fields: { path: string; yours: string; becomes?: string }[];
  }[];
  /** Files that are written anew, as typed. */
  files: string[];
}

export interface Points {
  got: number;
  most: number;
}

export interface StepView {
  id: string;
  /** Sentences in Markdown (inline only: `code`, **bold**). */
  task: Text;
  state: 'open' | 'passed' | 'slipped';
  /** ISO times. */
  passedAt?: string;
  slippedAt?: string;
  checks: CheckView[];
  /** The hints taken so far; `hintsLeft` more can be asked for. */
  hints: Text[];
  hintsLeft: number;
  /** Not judged yet: steps before it come first. */
  waiting?: boolean;
  points?: Points;
  /** What a hint and the solution take off, in points of this step. */
  costs?: { hint: number; solution: number };
  /** The cluster was kept when this step passed: one can go back to then. */
  rewind?: boolean;
  /** The solution once it was asked for; until then only that there is one. */
  solution?: 'hidden' | SolutionLine[];
}

/** How a completed lab went. */
export interface LabResult {
  /** From the start to the last step, in seconds. */
  seconds: number;
  /** The lab was begun this often, this time included. */
  tries: number;
  wrongAnswers: number;
  hints: number;
  /** Steps whose solution was looked at. */
  solutions: number;
  points: Points;
  learned: Text[];
}

export interface AttemptView {
  lab: string;
  title: Text;
  minutes: number;
  status: 'preparing' | 'running' | 'complete' | 'failed';
  /** What is being prepared, or why it failed and the way out. */
  note?: Text;
  startedAt: string;
  completedAt?: string;
  steps: StepView[];
  points?: Points;
  result?: LabResult;
  /**
   * What can be undone: the last rewind, or what was done since a solution was opened or, with `line`, since right before that line
   * of it. `files`: why the files in the home folder do not come back with the cluster.
   */
  undo?: { what: 'rewind' | 'solution'; step: string; line?: number; files?: Text };
  /** The cluster can be kept and had again: rewinding and undoing are possible. */
  keeps?: boolean;
  /** Progress cannot be kept, and why. */
  unsaved?: Text;
  /** For authors only: what is wrong with the lab's files, or an empty list. */
  author?: { problems: string[]; loadedAt: string };
}

export interface SessionState {
  session: string;
  cluster: ClusterOffer;
  terminals: TerminalInfo[];
  attempt?: AttemptView;
  forwards?: ForwardInfo[];
  /** Said once, of the cluster one comes back to: that it is as it was, or why it is not. */
  note?: Text;
}

/** `POST /api/session` — open or come back to a lab. `consent` is the learner's yes to a shell outside a sandbox. */
export interface OpenRequest {
  lab: string;
  cluster: { kind: ClusterKind; profile?: string };
  language: Language;
  consent?: boolean;
}

export type OpenAnswer =
  | { ok: true; state: SessionState }
  | { ok: false; reason: 'no-kubectl' | 'needs-consent' | 'no-cluster' | 'busy' | 'failed'; note: Text };

/** page → server on `/ws/session/<session>`. */
export type SessionRequest =
  | { type: 'answer'; step: string; check: string; value: string }
  | { type: 'hint'; step: string }
  /** Back to the moment at which `step` passed. */
  | { type: 'rewind'; step: string }
  | { type: 'undo' }
  /** Opens the solution of a step, for good. */
  | { type: 'solution'; step: string }
  | { type: 'reset' }
  /** What would the nth line of an opened solution take away? The answer is `compared`. */
  | { type: 'compare'; step: string; line: number }
  /** Follow the cluster's map on this socket, or stop. */
  | { type: 'map'; open: boolean }
  | { type: 'open-terminal' }
  | { type: 'close-terminal'; terminal: string };

/** server → page. `attempt` and `step` replace what the page holds. */
export type SessionMessage =
  | { type: 'state'; state: SessionState }
  | { type: 'attempt'; attempt: AttemptView }
  | { type: 'step'; step: StepView }
  /** `undo`: cluster and files as they are now can be had again, except for `files`. `problem`: it could not be told. */
  | {
      type: 'compared';
      step: string;
      line: number;
      loss: Loss;
      undo: boolean;
      files?: Text;
      problem?: Text;
    }
  | { type: 'terminals'; terminals: TerminalInfo[] }
  | { type: 'forwards'; forwards: ForwardInfo[] }
  /** The parts of the map that changed; all of them first. `lost`: the cluster cannot be read, and why. */
  | { type: 'map'; map: Partial<ClusterMap>; lost?: Text }
  | { type: 'error'; note: Text };
