// answer: what the learner typed or chose. The right value may be read from the cluster at that moment; it is never said.

import type { KindSpec } from '#common/lab/index.ts';
import { match } from '#common/match/index.ts';
import { compareQuantity, parseQuantity } from '#common/quantity/index.ts';
import { CouldNotLook } from '../could-not-look.ts';
import { sumOf, valuesAt } from '../objects.ts';
import type { CheckContext, CheckKind, Verdict } from '../types.ts';
import { say } from '../words.ts';

type Spec = KindSpec<'answer'>;

export const answer: CheckKind<Spec> = {
  name: 'answer',
  latches: true,

  async run(spec, context): Promise<Verdict> {
    const given = context.answer?.trim();
    if (!given) return { state: 'not-yet' };
    return spec.choices ? judgeChoice(spec.choices, given, context) : judgeText(spec, given, context);
  },

  // An answer is judged when it is given; what the cluster does afterwards does not make it wrong.
  watch: () => () => {},
};

async function judgeChoice(
  choices: NonNullable<Spec['choices']>,
  given: string,
  { kube }: CheckContext,
): Promise<Verdict> {
  const chosen = choices.find(choice => choice.id === given);
  if (!chosen) return { state: 'wrong', said: say('這不是選項之一。', 'That is not one of the choices.') };
  const { right } = chosen;
  const holds =
    typeof right === 'boolean'
      ? right
      : (await kube.list(right.ref)).some(object => match(right.match, object).length === 0);
  if (holds) return { state: 'holds' };
  return {
    state: 'wrong',
    said:
      chosen.say ?? say('不是這個。再看一次畫面上的訊息。', 'Not this one. Look at the message once more.'),
  };
}

async function judgeText(spec: Spec, given: string, context: CheckContext): Promise<Verdict> {
  const expected = await expectedValue(spec, context);
  if (spec.as !== 'text' && read(spec.as, given) === undefined) {
    const form =
      spec.as === 'number'
        ? say('數字', 'a number')
        : say('數量，例如 500m 或 4Gi', 'a quantity such as 500m or 4Gi');
    return {
      state: 'wrong',
      said: say(`「${given}」不是${form['zh-TW']}。`, `"${given}" is not ${form.en}.`),
    };
  }
  if (equal(spec.as, given, expected)) return { state: 'holds' };
  const value = spec.as === 'number' ? Number(given) : given;
  const known = spec.wrong?.find(({ when }) => match(when, value).length === 0);
  return {
    state: 'wrong',
    said:
      known?.say ??
      say(
        `不是「${given}」。再看一次叢集說了什麼。`,
        `It is not "${given}". Look once more at what the cluster says.`,
      ),
  };
}

/** The right answer as the cluster holds it now; for solutions and proofs, never for who is asked. */
export async function expectedValue(
  { equals }: Pick<Spec, 'equals'>,
  { kube }: Pick<CheckContext, 'kube'>,
): Promise<string> {
  if (typeof equals !== 'object') return String(equals);
  const objects = (await kube.list(equals.from)).filter(
    object => equals.where === undefined || match(equals.where, object).length === 0,
  );
  if (equals.pick === 'count') return String(objects.length);
  const values = objects.flatMap(object => valuesAt(object, equals.path ?? ''));
  if (equals.pick === 'sum') return sumOf(values);
  const [value] = values;
  if (value === undefined) {
    throw new CouldNotLook(
      say(
        `叢集裡找不到要比對的值（${equals.from.kind}）。`,
        `The value to compare with is not in the cluster (${equals.from.kind}).`,
      ),
    );
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function equal(as: Spec['as'], given: string, expected: string): boolean {
  if (as === 'text') return normal(given) === normal(expected);
  if (as === 'number') return read(as, given) === read(as, expected);
  const [a, b] = [parseQuantity(given), parseQuantity(expected)];
  return a !== undefined && b !== undefined && compareQuantity(a, b) === 0;
}

function read(as: Spec['as'], text: string): unknown {
  if (as === 'quantity') return parseQuantity(text);
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined;
}

/** Case, quotes and width of characters do not matter. */
function normal(text: string): string {
  return text
    .normalize('NFKC')
    .trim()
    .replace(/^["'`「]+|["'`」。.]+$/g, '')
    .toLowerCase();
}
