// What an author sees while working on a lab: each check as written, the objects it means, timings. Loaded only for authors; their
// words are English, as the files they write.

import type { AttemptView, AuthorCheck } from '#common/protocol/session.ts';
import { h } from '../dom.ts';

export function drawAuthorHead({ problems, loadedAt }: NonNullable<AttemptView['author']>): HTMLElement {
  return h(
    'div',
    { class: 'author', lang: 'en', 'data-author': true },
    h('strong', {}, 'Author: '),
    `read ${new Date(loadedAt).toLocaleTimeString()}`,
    problems.length > 0 && h('pre', { class: 'notice bad', tabindex: 0 }, problems.join('\n')),
  );
}

export function drawAuthorCheck(check: AuthorCheck, open: boolean, toggled: (open: boolean) => void) {
  const details = h(
    'details',
    { class: 'author', lang: 'en', open },
    h(
      'summary',
      {},
      `${check.candidates.filter(({ findings }) => findings.length === 0).length} of ${check.candidates.length} match · looked at ${check.looks}× · last ${check.lastMs} ms, longest ${check.mostMs} ms`,
    ),
    h('pre', { tabindex: 0 }, check.spec.trimEnd()),
    h(
      'ul',
      {},
      ...check.candidates.map(({ name, findings }) =>
        h(
          'li',
          {},
          `${findings.length === 0 ? '✓' : '≠'} ${name}`,
          findings.length > 0 &&
            h(
              'ul',
              {},
              ...findings.map(({ path, expected, actual }) =>
                h('li', {}, `${path || '(all)'}: ${actual}, expected ${expected}`),
              ),
            ),
        ),
      ),
    ),
  );
  details.addEventListener('toggle', () => toggled(details.open));
  return details;
}
