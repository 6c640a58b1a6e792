// The course drawer carries only the lessons near this one, for every page has a budget. When it opens, the rest comes from the
// home page's outline. Knows no lesson.

import { find, h } from './dom.ts';
import { memory } from './memory.ts';
import { fromRoot } from './root.ts';

const drawer = find('#course');
let asked = false;

drawer?.addEventListener('toggle', event => {
  if ((event as ToggleEvent).newState === 'open') void fill(drawer);
});

async function fill(drawer: HTMLElement): Promise<void> {
  const near = find('.outline', drawer);
  if (asked || !near) return;
  asked = true;
  try {
    const address = fromRoot(`${document.documentElement.lang}/`);
    const home = await fetch(address);
    const page = new DOMParser().parseFromString(await home.text(), 'text/html');
    const outline = find('.outline.full', page);
    if (!home.ok || !outline) return;
    outline.classList.remove('full');
    for (const extra of outline.querySelectorAll('.outline-summary, .outline-what')) extra.remove();
    for (const part of outline.querySelectorAll('[id]')) part.removeAttribute('id');
    for (const title of outline.querySelectorAll('h3'))
      title.replaceWith(h('h2', { class: 'outline-title' }, title.textContent));
    for (const link of outline.querySelectorAll('a')) {
      // Relative to the page it came from, not to this one.
      link.href = new URL(link.getAttribute('href') ?? '', address).href;
      if (link.pathname === location.pathname) link.setAttribute('aria-current', 'page');
    }
    for (const lab of memory.finishedLabs())
      for (const item of outline.querySelectorAll<HTMLElement>(`[data-lab="${CSS.escape(lab)}"]`))
        item.dataset.done = '';
    const focused = near.contains(document.activeElement);
    near.replaceWith(outline);
    if (focused) find('a', outline)?.focus();
  } catch {
    // What is near is there, and links lead to the rest.
    asked = false;
  }
}
