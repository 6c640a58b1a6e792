// The outside of a script check: starts the thread, answers what the script asks, and ends it when its time or memory is up.

import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Ref } from '#common/lab/index.ts';
import type { Text } from '#common/protocol/index.ts';
import type { Clock, Timer } from '../../clock.ts';
import { CouldNotLook } from '../could-not-look.ts';
import type { CheckContext, CommandRun } from '../types.ts';
import { say } from '../words.ts';

/** A verdict needs little; a script that wants more is broken. Megabytes. */
const LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16, stackSizeMb: 2 };

/** Starting a thread takes a tenth of a second, so the next one waits ready; unused it goes after this long. Milliseconds. */
const SPARE_LINGERS = 30_000;

export interface ScriptStart {
  /** URLs of the script and of its lab's folder. */
  file: string;
  folder: string;
  commands: readonly CommandRun[];
  /** Milliseconds. */
  deadline: number;
}

export type FromScript =
  | { kind: 'ask'; id: number; what: 'list' | 'get'; argument: unknown }
  | { kind: 'verdict'; verdict: unknown }
  | { kind: 'failed'; why: string };

export interface ToScript {
  id: number;
  value?: unknown;
  problem?: string;
}

/** What the script gave, whatever it is; rejects with CouldNotLook when it gave nothing. The thread is gone afterwards in any case. */
export async function runScript(name: string, deadline: number, context: CheckContext): Promise<unknown> {
  const folder = await realpath(context.labFolder);
  const path = await realpath(join(folder, name));
  if (!path.startsWith(folder + sep)) throw new Error(`${name} leads outside the lab`);
  const start: ScriptStart = {
    file: pathToFileURL(path).href,
    folder: pathToFileURL(folder + sep).href,
    commands: context.commands.recent().filter(command => command.startedAt >= context.since),
    deadline,
  };
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const worker = takeThread();
  const fail = (text: Text) => reject(new CouldNotLook(text));
  const failed = (why: string) =>
    fail(
      say(
        `檢查 ${name} 執行失敗，不是你的錯：${why}`,
        `The check ${name} failed, this is not your doing: ${why}`,
      ),
    );
  const timer = context.clock.after(deadline, () =>
    fail(
      say(
        `檢查 ${name} 在 ${deadline / 1000} 秒內沒有結果。`,
        `The check ${name} gave no result within ${deadline / 1000} s.`,
      ),
    ),
  );
  const stopped = () => reject(context.signal.reason);
  context.signal.addEventListener('abort', stopped);

  // A problem of the cluster is told in its own words, not in the script's.
  let cluster: CouldNotLook | undefined;
  const answer = async ({ id, what, argument }: Extract<FromScript, { kind: 'ask' }>) => {
    try {
      const value =
        what === 'list'
          ? await context.kube.list(argument as Ref)
          : (await context.kube.api.request('GET', String(argument))).body;
      worker.postMessage({ id, value } satisfies ToScript);
    } catch (error) {
      if (error instanceof CouldNotLook) cluster = error;
      worker.postMessage({ id, problem: (error as Error).message } satisfies ToScript);
    }
  };
  worker.on('message', (message: FromScript) => {
    if (message.kind === 'ask') void answer(message);
    else if (message.kind === 'verdict') resolve(message.verdict);
    else if (cluster) reject(cluster);
    else failed(message.why);
  });
  worker.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY')
      failed(`it wants more than ${LIMITS.maxOldGenerationSizeMb} MB of memory`);
    else failed(error.message);
  });
  worker.on('exit', () => failed('it ended without a verdict'));
  worker.postMessage(start);
  try {
    return await promise;
  } finally {
    timer.cancel();
    context.signal.removeEventListener('abort', stopped);
    await worker.terminate();
    keepSpare(context.clock);
  }
}

let spare: Worker | undefined;
let letGo: Timer | undefined;

/** A thread that has run nothing yet; each serves one look. */
function takeThread(): Worker {
  const worker = spare ?? startThread();
  spare = undefined;
  letGo?.cancel();
  worker.ref();
  return worker;
}

function keepSpare(clock: Clock): void {
  spare ??= startThread();
  spare.unref();
  const next = spare;
  letGo?.cancel();
  letGo = clock.after(SPARE_LINGERS, () => {
    if (spare === next) spare = undefined;
    void next.terminate();
  });
}

function startThread(): Worker {
  return new Worker(new URL('./script-worker.ts', import.meta.url), {
    env: {},
    execArgv: [],
    // What it prints belongs to nobody.
    stdout: true,
    stderr: true,
    resourceLimits: LIMITS,
  });
}
