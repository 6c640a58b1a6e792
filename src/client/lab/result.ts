// Draws how a completed lab went, and prints it alone. Knows no session.

import type { AttemptView, LabResult } from '#common/protocol/session.ts';
import { h, inline } from '../dom.ts';
import { type ClientStrings, fill, language } from '../words.ts';

export function drawResult(
  attempt: AttemptView,
  result: LabResult,
  words: ClientStrings,
  next: string | undefined,
): HTMLElement {
  return h(
    'section',
    { class: 'result', 'data-complete': true, 'aria-label': words.resultTitle },
    h(
      'p',
      { class: 'notice good' },
      h('strong', {}, words.complete),
      ' ',
      words.completeBody,
      next !== undefined && ' ',
      next !== undefined && h('a', { href: next }, words.nextLesson),
    ),
    ...drawFacts(result, words),
    h(
      'p',
      {},
      h(
        'button',
        { type: 'button', class: 'quiet', 'data-print': true, onclick: () => print(attempt, result, words) },
        words.print,
      ),
    ),
  );
}

function drawFacts(result: LabResult, words: ClientStrings): HTMLElement[] {
  const { points } = result;
  const facts: [string, string][] = [
    [words.points, fill(words.pointsOf, { got: points.got, most: points.most })],
    [words.time, duration(result.seconds, words)],
    [words.tries, String(result.tries)],
    [words.wrongAnswers, String(result.wrongAnswers)],
    [words.hintsTaken, String(result.hints)],
    [words.solutionsSeen, String(result.solutions)],
  ];
  const list = h(
    'dl',
    { class: 'result-facts' },
    ...facts.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
  );
  if (result.learned.length === 0) return [list];
  return [
    list,
    h('h3', {}, words.learned),
    h('ul', { class: 'learned' }, ...result.learned.map(text => h('li', {}, inline(text[language])))),
  ];
}

/** `1 h 5 min`, `12 min`, `40 s`. */
function duration(seconds: number, words: ClientStrings): string {
  if (seconds < 60) return fill(words.seconds, { n: seconds });
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return fill(words.minutes, { n: minutes });
  return `${fill(words.hours, { n: Math.floor(minutes / 60) })} ${fill(words.minutes, { n: minutes % 60 })}`;
}

/** A sheet beside the page that only paper shows. */
function print(attempt: AttemptView, result: LabResult, words: ClientStrings): void {
  const on = attempt.completedAt ? new Date(attempt.completedAt) : new Date();
  const sheet = h(
    'div',
    { class: 'print-sheet' },
    h('p', {}, document.title.split(' · ').at(-1)),
    h('h1', {}, attempt.title[language]),
    h('p', {}, on.toLocaleDateString(language)),
    ...drawFacts(result, words),
    h('h3', {}, words.stepsDone),
    h('ol', {}, ...attempt.steps.map(step => h('li', {}, inline(step.task[language])))),
  );
  document.body.append(sheet);
  addEventListener('afterprint', () => sheet.remove(), { once: true });
  window.print();
}
