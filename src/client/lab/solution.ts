// Draws what helps on with a step: hints, then its solution line by line, and the way back to where it passed. Types nothing by itself:
// each line runs from a click.

import type { StepView } from '#common/protocol/session.ts';
import { h, inline } from '../dom.ts';
import type { RunState } from '../terminal/panel.ts';
import { type ClientStrings, fill, language } from '../words.ts';

export interface HelpWishes {
  hint(): void;
  /** Opens the solution; asked about first while hints are left. */
  solution(): void;
  rewind(): void;
  /** Types the nth line of the solution, or gives its answer. */
  perform(line: number): void;
  /** How that went, for lines that were performed in this page. */
  performed(line: number): RunState | undefined;
}

export function drawHelp(step: StepView, words: ClientStrings, wishes: HelpWishes): HTMLElement | false {
  const open = step.state !== 'passed' && !step.waiting;
  const parts = [
    drawHints(step, words),
    Array.isArray(step.solution) && drawSolution(step.solution, step.id, open, words, wishes),
    drawButtons(step, open, words, wishes),
  ].filter(part => part !== false);
  return parts.length > 0 && h('div', { class: 'hints-box' }, ...parts);
}

function drawButtons(step: StepView, open: boolean, words: ClientStrings, wishes: HelpWishes) {
  const button = (key: string, text: string, onclick: () => void) =>
    h('button', { type: 'button', class: 'quiet', 'data-key': `${step.id}/${key}`, onclick }, text);
  const cost = (points = 0) =>
    points > 0 ? ` · ${fill(points === 1 ? words.costsOne : words.costs, { n: points })}` : '';
  const buttons = [
    step.hintsLeft > 0 &&
      open &&
      button(
        'hint',
        `${words.hint} · ${fill(words.hintsLeft, { n: step.hintsLeft })}${cost(step.costs?.hint)}`,
        () => wishes.hint(),
      ),
    step.solution === 'hidden' &&
      open &&
      button('solution', `${words.solution}${cost(step.costs?.solution)}`, () => wishes.solution()),
    step.rewind && button('rewind', words.rewind, () => wishes.rewind()),
  ].filter(one => one !== false && one !== undefined);
  return buttons.length > 0 && h('div', { class: 'help-do' }, ...buttons);
}

function drawHints(step: StepView, words: ClientStrings): HTMLElement | false {
  return (
    step.hints.length > 0 &&
    h(
      'ul',
      { class: 'hints' },
      ...step.hints.map((hint, index) =>
        h('li', {}, h('strong', {}, fill(words.hintN, { n: index + 1 })), inline(hint[language])),
      ),
    )
  );
}

function drawSolution(
  lines: Exclude<StepView['solution'], 'hidden' | undefined>,
  step: string,
  open: boolean,
  words: ClientStrings,
  wishes: HelpWishes,
): HTMLElement {
  // The first line that was not performed yet is the one to go on with.
  const next = lines.findIndex((_, index) => !isDone(wishes.performed(index)));
  return h(
    'div',
    { class: 'solution' },
    h('p', {}, h('strong', {}, words.solutionTitle), ' ', words.solutionLead),
    h(
      'ol',
      {},
      ...lines.map((line, index) => {
        const state = wishes.performed(index);
        return h(
          'li',
          { 'data-solution-line': index },
          line.kind === 'command'
            ? h('pre', {}, h('code', {}, line.text))
            : h('p', {}, inline(line.prompt[language]), ' ', h('strong', {}, inline(line.shown[language]))),
          open &&
            h(
              'button',
              {
                type: 'button',
                class: index === next ? 'button small' : 'button small plain',
                'data-key': `${step}/line-${index}`,
                'aria-label': fill(line.kind === 'command' ? words.runLine : words.answerLine, {
                  n: index + 1,
                }),
                onclick: () => wishes.perform(index),
              },
              line.kind === 'command' ? `▶ ${words.run}` : words.answer,
            ),
          state && h('span', { class: 'solution-state' }, sayState(state, words)),
        );
      }),
    ),
  );
}

const isDone = (state: RunState | undefined) => state?.kind === 'done' && state.exitCode === 0;

function sayState(state: RunState, words: ClientStrings): string {
  if (state.kind === 'refused') return state.reason;
  if (state.kind === 'done')
    return state.exitCode === 0 ? `✓ ${words.ranOk}` : fill(words.ranFailed, { code: state.exitCode });
  return state.kind === 'running' ? words.running : words.runSent;
}
