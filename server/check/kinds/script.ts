// script: the way out for what the other kinds cannot say: a TypeScript file of the lab, with the cluster and a deadline.

import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type KindSpec, milliseconds, type Ref } from '#common/lab/index.ts';
import type { KubeObject } from '../../kube/index.ts';
import { CouldNotLook } from '../could-not-look.ts';
import type { CheckKind, CommandRun, Verdict } from '../types.ts';
import { say } from '../words.ts';

/** How often a script looks again: it cannot tell what it depends on, so it is asked after any change to these. */
const LOOK_AGAIN = 2_000;

/** What a lab's script gets. */
export interface ScriptContext {
  list(ref: Ref): Promise<KubeObject[]>;
  /** A read of any path of the API: `/api/v1/nodes`. */
  get(path: string): Promise<unknown>;
  commands(): readonly CommandRun[];
  signal: AbortSignal;
}

/** A lab's script has this as its default export. */
export type Script = (context: ScriptContext) => Promise<Verdict>;

export const script: CheckKind<KindSpec<'script'>> = {
  name: 'script',
  latches: false,

  async run(spec, context): Promise<Verdict> {
    const run = await load(context.labFolder, spec.file);
    const limit = milliseconds(spec.deadline) ?? 10_000;
    const late = new AbortController();
    const timer = context.clock.after(limit, () => late.abort());
    const overdue = new Promise<never>((_, reject) =>
      late.signal.addEventListener('abort', () =>
        reject(
          new CouldNotLook(
            say(
              `檢查 ${spec.file} 在 ${spec.deadline} 內沒有結果。`,
              `The check ${spec.file} gave no result within ${spec.deadline}.`,
            ),
          ),
        ),
      ),
    );
    try {
      return await Promise.race([
        run({
          list: ref => context.kube.list(ref),
          get: async path => (await context.kube.api.request('GET', path)).body,
          commands: () => context.commands.recent().filter(command => command.startedAt >= context.since),
          signal: AbortSignal.any([context.signal, late.signal]),
        }),
        overdue,
      ]);
    } finally {
      timer.cancel();
    }
  },

  watch(_spec, { clock, commands }, changed) {
    let timer = clock.after(LOOK_AGAIN, function look() {
      changed();
      timer = clock.after(LOOK_AGAIN, look);
    });
    const stop = commands.subscribe(changed);
    return () => {
      timer.cancel();
      stop();
    };
  },
};

async function load(folder: string, file: string): Promise<Script> {
  const path = await realpath(join(folder, file));
  if (!path.startsWith((await realpath(folder)) + sep)) throw new Error(`${file} leads outside the lab`);
  const module = (await import(pathToFileURL(path).href)) as { default?: unknown };
  if (typeof module.default !== 'function')
    throw new Error(`${file} has no default export that is a function`);
  return module.default as Script;
}
