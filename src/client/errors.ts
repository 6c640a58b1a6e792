// The box of the error index: compares what is pasted with the messages on the page and shows those that fit. Knows no lesson.

import { matchErrors } from '#common/errors/index.ts';
import { find } from './dom.ts';

const ask = find('[data-errors-ask]');
const input = find<HTMLTextAreaElement>('#errors-text');
const list = find('[data-errors]');
const status = find('[data-errors-status]');
const none = find('[data-errors-none]');
const head = find('[data-errors-all]');

if (ask && input && list && status && none && head) {
  ask.hidden = false;
  const items = [...list.children] as HTMLElement[];
  const known = items.map(item => ({
    id: item.id,
    says: [...item.querySelectorAll('pre')].map(text => text.textContent ?? ''),
    item,
  }));
  const show = (): void => {
    const text = input.value.trim();
    const found = text ? matchErrors(text, known) : [];
    list.replaceChildren(...(text ? found.map(match => match.error.item) : items));
    head.hidden = text !== '';
    none.hidden = text === '' || found.length > 0;
    status.textContent = found.length > 0 ? (status.dataset.best ?? '') : '';
  };
  input.addEventListener('input', show);
  // The browser may have kept what was pasted before.
  show();
}
