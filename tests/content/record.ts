// Refreshes the outputs that lessons show: prepares each lesson's lab on a practice cluster, runs the lesson's commands in order
// with the real kubectl, and writes what they printed into the output blocks of both languages.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realClock } from '../../server/clock.ts';
import { createPracticeProvider } from '../../server/cluster/index.ts';
import { findLab, openAttempt } from '../../server/lab/index.ts';
import { openProgress } from '../../server/progress/index.ts';
import { type Exchange, excerpt, exchangesOf, replaceBlock } from '../../src/course/lesson-blocks.ts';
import type { Lesson } from '../../src/course/read.ts';
import { languages } from '../../src/course/schema.ts';

/** How long one command may take, and how long a command marked `stays` is listened to (`stays=40`: 40 s), in ms. */
const COMMAND_TIMEOUT = 60_000;
const LISTEN = 3000;
/** How long a lab may take to prepare its cluster, in ms. */
const PREPARE_TIMEOUT = 180_000;

export interface Recorded {
  command: string;
  output: string;
  /** Undefined when it was still running and was stopped. */
  exit: number | undefined;
}

export async function record(root: string, lessons: Lesson[]): Promise<void> {
  for (const lesson of lessons) {
    const exchanges = exchangesOf(lesson.pages.en.body);
    if (!lesson.pages.en.front.lab || exchanges.length === 0) continue;
    const recorded = await runLesson(root, lesson.pages.en.front.lab, exchanges);
    for (const one of recorded) console.log(`${lesson.id}: ${one.command} -> ${one.exit ?? 'stopped'}`);
    for (const language of languages) {
      const file = join(root, lesson.pages[language].file);
      const source = await readFile(file, 'utf8');
      await writeFile(file, withOutputs(source, recorded));
    }
  }
}

/** The source with each shown output replaced by what was recorded for the same command, at the same place in the order. */
export function withOutputs(source: string, recorded: Recorded[]): string {
  const exchanges = exchangesOf(source);
  let next = source;
  for (let i = exchanges.length - 1; i >= 0; i--) {
    const { output } = exchanges[i]!;
    const text = recorded[i]?.output;
    if (output && text !== undefined) next = replaceBlock(next, output, excerpt(text, output.meta));
  }
  return next;
}

/** Runs a lesson's commands in a fresh lab. A command marked `stays` runs on beside the following ones, as in a second terminal. */
export async function runLesson(root: string, labId: string, exchanges: Exchange[]): Promise<Recorded[]> {
  const folder = await mkdtemp(join(tmpdir(), 'record-'));
  const clock = realClock();
  const labs = join(root, 'labs');
  const closing: (() => unknown)[] = [() => rm(folder, { recursive: true, force: true })];
  try {
    const lab = await findLab(labs, labId);
    const provider = createPracticeProvider();
    const [offer] = await provider.available();
    if (!lab || !offer) throw new Error(`There is no lab ${labId}, or no practice cluster`);
    const own = join(folder, 'cluster');
    await mkdir(own);
    const cluster = await provider.attach(own, offer, lab.cluster, () => {});
    closing.push(() => cluster.detach());
    const attempt = openAttempt({
      lab: lab.id,
      labs,
      cluster: { kind: 'practice', kubeconfig: cluster.kubeconfig },
      commands: { recent: () => [], subscribe: () => () => {} },
      home: folder,
      progress: openProgress({ file: ':memory:', clock }),
      clock,
      prepared: false,
    });
    closing.push(() => attempt.close());
    await Promise.race([
      attempt.ready,
      new Promise((_, reject) =>
        setTimeout(
          () => reject(new Error(`${labId} is not prepared after ${PREPARE_TIMEOUT / 1000} s`)),
          PREPARE_TIMEOUT,
        ).unref(),
      ),
    ]);
    const { status, note } = attempt.view();
    if (status === 'failed') throw new Error(`${labId} could not be prepared: ${note?.en}`);

    const recorded: Recorded[] = [];
    const staying: ChildProcess[] = [];
    closing.push(() => {
      for (const child of staying) child.kill('SIGINT');
    });
    for (const { command } of exchanges) {
      const { stays } = command.meta;
      const listen = typeof stays === 'string' ? Number(stays) * 1000 : LISTEN;
      // A new command in the first terminal means that the learner has stopped what ran there.
      if (command.meta.terminal === undefined) for (const child of staying.splice(0)) child.kill('SIGINT');
      recorded.push(
        await runCommand(command.code.trim(), {
          kubeconfig: cluster.kubeconfig,
          home: folder,
          listen,
          staying: stays ? staying : undefined,
        }),
      );
    }
    return recorded;
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

interface Stage {
  kubeconfig: string;
  home: string;
  listen: number;
  /** Where a command that stays is kept until it is stopped; undefined for one that must end. */
  staying: ChildProcess[] | undefined;
}

function runCommand(command: string, { kubeconfig, home, listen, staying }: Stage): Promise<Recorded> {
  const child = spawn('bash', ['-c', command], {
    env: { ...process.env, KUBECONFIG: kubeconfig, HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const stop = () => {
    if (child.exitCode === null && child.pid) process.kill(-child.pid, 'SIGINT');
  };
  child.kill = () => {
    stop();
    return true;
  };
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => {
        if (!staying) {
          stop();
          return reject(new Error(`${command} does not end`));
        }
        resolve({ command, output, exit: undefined });
      },
      staying ? listen : COMMAND_TIMEOUT,
    );
    staying?.push(child);
    child.on('close', code => {
      clearTimeout(timer);
      resolve({ command, output, exit: code ?? undefined });
    });
  });
}
