// Asks a yes-or-no question in a modal dialog. Knows no lab.

import { h } from '../dom.ts';

export interface Question {
  title: string;
  /** A paragraph each. */
  body: string | string[];
  yes: string;
  no: string;
}

export function ask(question: Question): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const dialog = h(
    'dialog',
    { class: 'ask', 'aria-labelledby': 'ask-title' },
    h('h2', { id: 'ask-title' }, question.title),
    ...[question.body].flat().map(paragraph => h('p', {}, paragraph)),
    h(
      'div',
      { class: 'ask-do' },
      h(
        'button',
        { type: 'button', class: 'button plain', autofocus: true, onclick: () => dialog.close() },
        question.no,
      ),
      h(
        'button',
        { type: 'button', class: 'button', 'data-yes': true, onclick: () => dialog.close('yes') },
        question.yes,
      ),
    ),
  );
  dialog.addEventListener('close', () => {
    dialog.remove();
    resolve(dialog.returnValue === 'yes');
  });
  document.body.append(dialog);
  dialog.showModal();
  return promise;
}
