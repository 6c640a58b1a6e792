// What every page needs from a script: theme switch, language switch that keeps the place, finished marks. Knows no lab.

import { announce, find } from './dom.ts';
import { memory } from './memory.ts';

const root = document.documentElement;

find('[data-theme-toggle]')?.addEventListener('click', () => {
  const dark = root.dataset.theme
    ? root.dataset.theme === 'dark'
    : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = dark ? 'light' : 'dark';
  try {
    localStorage.setItem('theme', root.dataset.theme);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
});

// Paper is white: a page that was made dark by the button prints as if it were light.
let chosen: string | undefined;
addEventListener('beforeprint', () => {
  chosen = root.dataset.theme;
  root.dataset.theme = 'light';
});
addEventListener('afterprint', () => {
  if (chosen) root.dataset.theme = chosen;
  else delete root.dataset.theme;
});

/** The last heading above the top of the view, and how far below it we are, as a share of its section. */
function place(): { section: string; offset: number } | undefined {
  const headings = [...document.querySelectorAll<HTMLElement>('.prose h2[id], .prose h3[id]')];
  const top = 80;
  const at = headings.findLastIndex(heading => heading.getBoundingClientRect().top <= top);
  const heading = headings[at];
  if (!heading) return undefined;
  const start = heading.getBoundingClientRect().top;
  const end = headings[at + 1]?.getBoundingClientRect().top ?? find('.prose')!.getBoundingClientRect().bottom;
  return { section: heading.id, offset: Math.min(1, Math.max(0, (top - start) / Math.max(1, end - start))) };
}

find('[data-twin]')?.addEventListener('click', () => {
  const here = place();
  if (here) memory.keepPlace(here);
});

const kept = memory.takePlace();
if (kept) {
  const restore = (): void => {
    const headings = [...document.querySelectorAll<HTMLElement>('.prose h2[id], .prose h3[id]')];
    const at = headings.findIndex(heading => heading.id === kept.section);
    if (at < 0) return;
    const start = headings[at]!.getBoundingClientRect().top + scrollY;
    const end =
      (headings[at + 1]?.getBoundingClientRect().top ?? find('.prose')!.getBoundingClientRect().bottom) +
      scrollY;
    scrollTo({ top: start + (end - start) * kept.offset - 80, behavior: 'instant' });
  };
  restore();
  // Style sheets that the text's code blocks bring may still be on their way; what they move is moved back.
  if (document.readyState !== 'complete') addEventListener('load', restore, { once: true });
}

for (const lab of memory.finishedLabs())
  for (const item of document.querySelectorAll<HTMLElement>(`[data-lab="${CSS.escape(lab)}"][data-lesson]`))
    item.dataset.done = '';

const lesson = find('main[data-lesson]')?.dataset.lesson;
if (lesson) memory.rememberLesson(lesson);

// The home page offers the lesson that was open last.
const onward = find('[data-continue]');
const last = memory.lessons().at(-1);
const lastLink =
  last === undefined ? null : find<HTMLAnchorElement>(`.outline [data-lesson="${CSS.escape(last)}"] a`);
if (onward && lastLink) {
  const link = find<HTMLAnchorElement>('a', onward)!;
  link.href = lastLink.href;
  link.textContent = find('.outline-name', lastLink)?.textContent ?? '';
  onward.hidden = false;
}

for (const start of document.querySelectorAll<HTMLElement>('[data-start-lab]'))
  start.addEventListener('click', () => memory.askStart(start.dataset.startLab ?? ''));

// A chosen answer's explanation is shown by CSS; those who cannot see it hear it.
document.addEventListener('change', event => {
  const why = (event.target as Element).closest?.('.choice')?.querySelector('.choice-why');
  if (why) announce(why.textContent ?? '');
});
