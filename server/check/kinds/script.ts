// script: the way out for what the other kinds cannot say: a TypeScript file of the lab, with the cluster and a deadline.

import { z } from 'zod';
import { type KindSpec, milliseconds, type Ref } from '#common/lab/index.ts';
import type { KubeObject } from '../../kube/index.ts';
import { CouldNotLook } from '../could-not-look.ts';
import type { CheckKind, CommandRun, Verdict } from '../types.ts';
import { say } from '../words.ts';
import { runScript } from './script-thread.ts';

/** How often a script looks again: it cannot tell what it depends on, so it is asked after any change to these. */
const LOOK_AGAIN = 2_000;
const DEADLINE = 10_000;
/** Of what a script gave, this many characters are told to its author. */
const MOST_SHOWN = 120;

/** What a lab's script gets. */
export interface ScriptContext {
  list(ref: Ref): Promise<KubeObject[]>;
  /** A read of any path of the API: `/api/v1/nodes`. */
  get(path: string): Promise<unknown>;
  commands(): readonly CommandRun[];
  /** Fires at the deadline; the thread ends then in any case. */
  signal: AbortSignal;
}

/** A lab's script has this as its default export. */
export type Script = (context: ScriptContext) => Promise<Verdict>;

const text = z.strictObject({ 'zh-TW': z.string().min(1), en: z.string().min(1) });
const verdict = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('holds'), said: text.optional(), seen: z.unknown().optional() }),
  z.strictObject({
    state: z.enum(['not-yet', 'wrong', 'could-not-look']),
    said: text,
    findings: z
      .array(z.strictObject({ path: z.string(), expected: z.string(), actual: z.string() }))
      .optional(),
    seen: z.unknown().optional(),
  }),
]);

export const script: CheckKind<KindSpec<'script'>> = {
  name: 'script',
  latches: false,

  async run({ file, deadline }, context): Promise<Verdict> {
    const given = await runScript(file, milliseconds(deadline) ?? DEADLINE, context);
    const parsed = verdict.safeParse(given);
    if (parsed.success) return parsed.data;
    const shown = (JSON.stringify(given) ?? String(given)).slice(0, MOST_SHOWN);
    throw new CouldNotLook(
      say(
        `檢查 ${file} 給的不是結果，不是你的錯：${shown}。結果是 { state: 'holds' } 或 { state: 'wrong', said: { 'zh-TW': …, en: … } }。`,
        `The check ${file} gave no verdict, this is not your doing: ${shown}. A verdict is { state: 'holds' } or { state: 'wrong', said: { 'zh-TW': …, en: … } }.`,
      ),
    );
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
