// Glossary cards where there is no mouse: a first touch shows the card, the second follows the link; Escape puts it away.
// Hover and focus are the style sheet's.

const CARD = 'a.term';
const termAt = (event: Event): HTMLElement | null => (event.target as Element).closest<HTMLElement>(CARD);

/** The term whose card a touch has opened. */
let opened: HTMLElement | null = null;

function show(term: HTMLElement | null): void {
  opened?.removeAttribute('data-open');
  opened = term;
  opened?.setAttribute('data-open', '');
}

document.addEventListener('click', event => {
  const term = termAt(event);
  const touched = (event as PointerEvent).pointerType === 'touch';
  if (!term || !touched || term === opened) return show(null);
  event.preventDefault();
  show(term);
});

document.addEventListener('keydown', event => {
  if (event.key !== 'Escape') return;
  show(null);
  for (const term of document.querySelectorAll(`${CARD}:is(:hover, :focus)`))
    term.setAttribute('data-shut', '');
});
for (const gone of ['pointerout', 'focusout'])
  document.addEventListener(gone, event => termAt(event)?.removeAttribute('data-shut'));
