// Draws one step of a lab: task, checks with what was seen, answers, hints. Knows only the step it is given.

import type { CheckView, CompareLine, Finding, StepView } from '#common/protocol/session.ts';
import { h, inline } from '../dom.ts';
import { type ClientStrings, fill, language } from '../words.ts';
import { drawHelp, type HelpWishes } from './solution.ts';

export interface StepWishes extends HelpWishes {
  answer(check: string, value: string): void;
  toggle(): void;
  /** Whether something that opens below a check is open, and that it was opened or closed. */
  isOpen(what: string): boolean;
  opened(what: string, open: boolean): void;
  /** What only authors see below a check. */
  author?(check: CheckView): HTMLElement | false;
}

/** A sign for each state, so that colour is never the only difference. */
const SIGNS: Record<CheckView['state'], string> = {
  holds: '✓',
  'not-yet': '○',
  wrong: '≠',
  'could-not-look': '?',
};

export function drawStep(
  step: StepView,
  number: number,
  open: boolean,
  current: boolean,
  words: ClientStrings,
  wishes: StepWishes,
): HTMLLIElement {
  const stateWord = { open: words.stepOpen, passed: words.stepPassed, slipped: words.stepSlipped }[
    step.state
  ];
  const mark = { open: String(number), passed: '✓', slipped: '↺' }[step.state];
  const bodyId = `step-${step.id}`;
  return h(
    'li',
    {
      class: 'step',
      'data-state': step.state,
      'data-step': step.id,
      'data-current': current,
      'data-open': open,
    },
    h(
      'div',
      { class: 'step-head' },
      h('span', { class: 'step-mark', 'aria-hidden': 'true' }, mark),
      h(
        'p',
        { class: 'step-task' },
        h('span', { class: 'sr-only' }, `${fill(words.stepN, { n: number })} (${stateWord}): `),
        inline(step.task[language]),
      ),
      drawPoints(step, words),
      step.state !== 'open' && h('span', { class: 'step-state', 'aria-hidden': 'true' }, stateWord),
      h(
        'button',
        {
          type: 'button',
          class: 'step-toggle',
          'data-key': `${step.id}/toggle`,
          'aria-expanded': String(open),
          'aria-controls': bodyId,
          'aria-label': fill(words.stepN, { n: number }),
          onclick: () => wishes.toggle(),
        },
        open ? '▴' : '▾',
      ),
    ),
    h(
      'div',
      { class: 'step-body', id: bodyId, hidden: !open },
      drawChecks(step, words, wishes),
      drawHelp(step, words, wishes),
    ),
  );
}

function drawChecks(step: StepView, words: ClientStrings, wishes: StepWishes): HTMLElement {
  return h(
    'ul',
    { class: 'checks' },
    ...step.checks
      .filter(check => check.author !== undefined || !isQuiet(check))
      .map(check =>
        h(
          'li',
          { class: 'check', 'data-state': check.state, 'data-kind': check.kind },
          check.prompt && h('p', {}, inline(check.prompt[language])),
          h('span', { class: 'check-state' }, `${SIGNS[check.state]} ${words[check.state]}`),
          drawSaid(check, words),
          check.findings && check.findings.length > 0 && drawFindings(check.findings, words),
          check.compare &&
            check.compare.length > 1 &&
            drawCompare(step, check.id, check.compare, words, wishes),
          check.prompt && drawAnswer(step, check, words, wishes),
          wishes.author?.(check),
        ),
      ),
  );
}

/** A guard that nobody broke asks for nothing. */
const isQuiet = ({ guard, state, said }: CheckView) =>
  guard === true && (state === 'holds' || (state === 'not-yet' && said === undefined));

function drawPoints({ points, waiting }: StepView, words: ClientStrings): HTMLElement | false {
  return (
    points !== undefined &&
    points.most > 0 &&
    !waiting &&
    h('span', { class: 'step-state' }, fill(words.pointsOf, { ...points }))
  );
}

/** Expected beside seen, on demand: what differs is marked by a sign and not by its colour alone. */
function drawCompare(
  step: StepView,
  check: string,
  lines: CompareLine[],
  words: ClientStrings,
  wishes: StepWishes,
): HTMLElement {
  const key = `${step.id}/${check}/compare`;
  const details = h(
    'details',
    { class: 'compare', open: wishes.isOpen(key) },
    h('summary', { 'data-key': key }, words.compare),
    h(
      'table',
      {},
      h(
        'thead',
        {},
        h('tr', {}, h('td', {}), ...[words.saw, words.expected].map(name => h('th', { scope: 'col' }, name))),
      ),
      h(
        'tbody',
        {},
        ...lines.map(({ expected, seen, same }) =>
          h(
            'tr',
            { 'data-differs': !same },
            h('td', {}, same ? '' : '≠'),
            h('td', {}, h('code', {}, seen)),
            h('td', {}, h('code', {}, expected)),
          ),
        ),
      ),
    ),
  );
  details.addEventListener('toggle', () => wishes.opened(key, details.open));
  return details;
}

function drawSaid(check: CheckView, words: ClientStrings): HTMLElement | false {
  if (check.said) return h('span', { class: 'check-said' }, inline(check.said[language]));
  const wait = check.state === 'not-yet' ? words.waitingFor[check.kind] : undefined;
  return wait !== undefined && h('span', { class: 'check-said' }, wait);
}

function drawFindings(findings: Finding[], words: ClientStrings): HTMLElement {
  return h(
    'table',
    { class: 'findings' },
    h(
      'thead',
      {},
      h('tr', {}, ...[words.where, words.saw, words.expected].map(title => h('th', { scope: 'col' }, title))),
    ),
    h(
      'tbody',
      {},
      ...findings.map(finding =>
        h(
          'tr',
          {},
          ...[finding.path || '·', finding.actual || words.nothing, finding.expected || words.nothing].map(
            cell => h('td', {}, cell),
          ),
        ),
      ),
    ),
  );
}

function drawAnswer(step: StepView, check: CheckView, words: ClientStrings, wishes: StepWishes): HTMLElement {
  const key = `${step.id}/${check.id}`;
  const label = check.prompt ? check.prompt[language].replace(/[`*]/g, '') : words.answerLabel;
  const fields = check.choices
    ? h(
        'fieldset',
        { class: 'choices' },
        h('legend', { class: 'sr-only' }, label),
        ...check.choices.map(choice => {
          const input = h('input', {
            type: 'radio',
            name: key,
            value: choice.id,
            'data-key': `${key}/${choice.id}`,
          });
          input.checked = choice.id === check.answered;
          return h('label', {}, input, h('span', {}, inline(choice.text[language])));
        }),
      )
    : h('input', {
        type: 'text',
        name: key,
        value: check.answered ?? '',
        autocomplete: 'off',
        autocapitalize: 'off',
        spellcheck: 'false',
        'aria-label': label,
        'data-key': key,
      });
  return h(
    'form',
    {
      class: 'answer',
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        const value = new FormData(event.target as HTMLFormElement).get(key);
        if (typeof value === 'string' && value.trim()) wishes.answer(check.id, value.trim());
      },
    },
    fields,
    h('button', { type: 'submit', class: 'button small', 'data-key': `${key}/send` }, words.answer),
  );
}
