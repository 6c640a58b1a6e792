// answer: what the learner typed or chose. The right value may be read from the cluster at that moment; it is never said.

import type { KindSpec } from '#common/lab/index.ts';
import { match } from '#common/match/index.ts';
import { formatQuantity } from '#common/quantity/index.ts';
import { CouldNotLook } from '../could-not-look.ts';
import { sumOf, valuesAt } from '../objects.ts';
import type { CheckContext, CheckKind, Verdict } from '../types.ts';
import { say } from '../words.ts';
import { plain, typedNumber, typedQuantity } from './typed.ts';

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
  const [read, right] = [READ[spec.as](given), READ[spec.as](expected)];
  if (read.length > 0 && read[0] === right[0]) return { state: 'holds' };
  // The lab's own words come first, also where it is not the kind of value asked for: an author may have meant just that.
  const known = spec.wrong?.find(({ when }) =>
    [given, plain(given), ...read].some(form => match(when, form).length === 0),
  );
  if (known) return { state: 'wrong', said: known.say };
  if (read.length === 0) {
    const form =
      spec.as === 'number'
        ? say('數字', 'a number')
        : say('數量，例如 500m 或 4Gi', 'a quantity such as 500m or 4Gi');
    return {
      state: 'wrong',
      said: say(`「${given}」不是${form['zh-TW']}。`, `"${given}" is not ${form.en}.`),
    };
  }
  return {
    state: 'wrong',
    said: say(
      `不是「${given}」。再看一次叢集說了什麼。`,
      `It is not "${given}". Look once more at what the cluster says.`,
    ),
  };
}

/** What was typed, in the forms an author may write it; equal answers share the first. Empty when it is no such value. */
const READ: Record<Spec['as'], (text: string) => (string | number)[]> = {
  // Case does not matter.
  text: text => [plain(text).toLowerCase()],
  number: text => {
    const number = typedNumber(text);
    return number === undefined ? [] : [number, String(number)];
  },
  quantity: text => {
    const quantity = typedQuantity(text);
    const formats = ['BinarySI', 'DecimalSI'] as const;
    return quantity ? formats.map(format => formatQuantity({ ...quantity, format })) : [];
  },
};

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
