// A stage for trying labs without a page: a cluster, a real shell on a real terminal, and the attempt on them. Knows no verdicts.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type KubeWatch, openKubeWatch } from '../check/index.ts';
import type { Clock } from '../clock.ts';
import { createPracticeProvider } from '../cluster/index.ts';
import { openProgress } from '../progress/index.ts';
import { createCommandLog, openPty, openTerminal } from '../terminal/index.ts';
import { createKubectl, openWorkspace, type Tool } from '../workspace/index.ts';
import { openAttempt } from './attempt.ts';
import { type Lab, LabError } from './load.ts';
import { AS_SEEN, scriptLines } from './script-lines.ts';
import { inTheWay, takeAway } from './setup.ts';
import { answersSeen } from './steps.ts';
import type { Attempt, AttemptCluster, CommandSource } from './types.ts';

/** A typed command that has not ended by then never will. Milliseconds. */
const COMMAND_TIMEOUT = 90_000;
const SIZE = { cols: 160, rows: 50 };

export interface Rehearsal {
  readonly attempt: Attempt;
  readonly cluster: AttemptCluster;
  readonly commands: CommandSource;
  readonly home: string;
  /** Types one line at the prompt and waits for its end; resolves with the exit code. */
  type(line: string): Promise<number>;
  /** Does a solution or a mistake: types its lines, gives its answers to `step`. */
  perform(script: string, step: string): Promise<void>;
  /** What the terminal has printed so far. */
  readonly transcript: string;
  close(): Promise<void>;
}

export interface RehearsalOptions {
  lab: Lab;
  labs: string;
  clock: Clock;
  /** A cluster of one's own instead of a practice cluster. */
  kubeconfig?: string;
  tools?: readonly Tool[];
  /** The binary to type with; looked for on the PATH when left out. */
  kubectl?: string;
}

export async function openRehearsal(options: RehearsalOptions): Promise<Rehearsal> {
  const { lab, labs, clock } = options;
  const folder = await mkdtemp(join(tmpdir(), 'rehearsal-'));
  const closing: (() => unknown)[] = [() => rm(folder, { recursive: true, force: true })];
  const close = async () => {
    for (const step of closing.reverse()) await step();
  };
  try {
    const cluster = await openCluster(options, folder, closing);
    const kubectl = options.kubectl ?? (await kubectlPath(folder));
    const workspace = await openWorkspace({
      folder: join(folder, 'workspace'),
      sandbox: { tier: 'none', note: { 'zh-TW': '', en: '' }, forwarder: 'node' },
      kubectl,
      cluster: { kind: cluster.kind, kubeconfig: cluster.kubeconfig, env: {} },
      tools: options.tools ?? [],
    });
    closing.push(() => workspace.close());

    const commands = createCommandLog(clock);
    const { nonce, shownCwd, ...shell } = workspace.shell();
    const terminal = openTerminal({
      id: '1',
      title: 'rehearsal',
      pty: openPty({ ...shell, ...SIZE }),
      ...SIZE,
      nonce,
      cwd: shownCwd,
      commands,
      clock,
    });
    closing.push(() => terminal.close());
    let transcript = '';
    let prompt: { exit: number | undefined } | undefined;
    let wake = () => {};
    const viewing = terminal.view({
      screen: () => {},
      output: bytes => {
        transcript += Buffer.from(bytes).toString('utf8');
        viewing.ack(bytes.length);
      },
      size: () => {},
      command: (running, exit) => {
        prompt = running ? undefined : { exit };
        wake();
      },
      refused: note => {
        transcript += `\n[refused: ${note.en}]\n`;
      },
      exit: () => {},
    });
    const atPrompt = async (after: number): Promise<number> => {
      const end = clock.now() + COMMAND_TIMEOUT;
      for (;;) {
        const last = commands.recent().at(-1);
        if (prompt && (after < 0 || (commands.recent().length > after && last?.endedAt !== undefined)))
          return last?.exit ?? 0;
        if (clock.now() > end)
          throw new Error(`the shell does not come back to its prompt:\n${transcript.slice(-2000)}`);
        await new Promise<void>(resolve => {
          wake = resolve;
          clock.after(100, resolve);
        });
      }
    };

    const attempt = openAttempt({
      lab: lab.id,
      labs,
      cluster,
      commands,
      home: workspace.home,
      progress: openProgress({ file: ':memory:', clock }),
      clock,
      prepared: false,
    });
    closing.push(() => attempt.close());
    await atPrompt(-1);
    const type = async (line: string) => {
      const before = commands.recent().length;
      viewing.run(line);
      return atPrompt(before);
    };
    return {
      attempt,
      cluster,
      commands,
      home: workspace.home,
      type,
      async perform(script, step) {
        for (const line of scriptLines(script)) {
          if ('type' in line) await type(line.type);
          else {
            const { check } = line.answer;
            let { value } = line.answer;
            if (value === AS_SEEN)
              await onGivenCluster(cluster.kubeconfig, clock, async kube => {
                value = (await answersSeen(lab, step, kube))[check] ?? '';
              });
            const refused = await attempt.answer(step, check, value);
            if (refused) throw new Error(refused.en);
          }
        }
      },
      get transcript() {
        return transcript;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openCluster(
  { lab, kubeconfig, clock }: RehearsalOptions,
  folder: string,
  closing: (() => unknown)[],
): Promise<AttemptCluster> {
  // A given cluster stays: what a lab makes there is taken away again before the next run.
  if (kubeconfig) {
    await onGivenCluster(kubeconfig, clock, async ({ api }) => {
      const names = await inTheWay(lab, api);
      if (names.length > 0)
        throw new LabError([
          `${lab.id}: the cluster already has the namespace ${names.join(', ')}, which this lab would take away at its end; give it a cluster without`,
        ]);
    });
    closing.push(() =>
      onGivenCluster(kubeconfig, clock, ({ api }) =>
        takeAway(lab, api, { clock, signal: new AbortController().signal, note: () => {} }),
      ),
    );
    return { kind: 'minikube', kubeconfig };
  }
  const provider = createPracticeProvider();
  const own = join(folder, 'cluster');
  await mkdir(own, { recursive: true });
  const { cpus, memory } = lab.definition.cluster;
  const [offer] = await provider.available();
  if (!offer) throw new Error('there is no practice cluster');
  const attached = await provider.attach(own, offer, { cpus, memory }, () => {});
  closing.push(() => attached.detach());
  return {
    kind: 'practice',
    kubeconfig: attached.kubeconfig,
    reset: () => provider.reset?.(attached) ?? Promise.resolve(),
    snapshot: () => provider.snapshot?.(attached) ?? Promise.resolve(),
    restore: snapshot => provider.restore?.(attached, snapshot) ?? Promise.resolve(),
  };
}

async function onGivenCluster(
  kubeconfig: string,
  clock: Clock,
  task: (kube: KubeWatch) => Promise<void>,
): Promise<void> {
  const kube = await openKubeWatch(kubeconfig, clock);
  try {
    await task(kube);
  } finally {
    kube.close();
  }
}

async function kubectlPath(cache: string): Promise<string> {
  const kubectl = createKubectl({ cache });
  await kubectl.look();
  const path = kubectl.path();
  if (!path) throw new Error('kubectl is not on the PATH, and a lab is typed with it');
  return path;
}
