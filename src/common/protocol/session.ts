// Messages on a session's WebSocket: JSON text, one message a frame. The page shows a session; the server owns it.
// The page sends wishes, the server answers with the whole new state of what changed, so that a reload needs no history.

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
  /** For answers: the question, and the choices when it is one of several. */
  prompt?: Text;
  choices?: { id: string; text: Text }[];
  /** The learner's last answer, so that a reload keeps it. */
  answered?: string;
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
}

export interface SessionState {
  session: string;
  cluster: ClusterOffer;
  terminals: TerminalInfo[];
  attempt?: AttemptView;
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
  | { type: 'reset' }
  | { type: 'open-terminal' }
  | { type: 'close-terminal'; terminal: string };

/** server → page. `attempt` and `step` replace what the page holds. */
export type SessionMessage =
  | { type: 'state'; state: SessionState }
  | { type: 'attempt'; attempt: AttemptView }
  | { type: 'step'; step: StepView }
  | { type: 'terminals'; terminals: TerminalInfo[] }
  | { type: 'error'; note: Text };
