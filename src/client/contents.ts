// The list of a page's sections: beside the text where there is room for it, with the section marked that is being read.
// Elsewhere it stays folded at the head of the text. Knows no lesson.

import { find } from './dom.ts';

const contents = find<HTMLDetailsElement>('details.contents');
/** Where the style sheet puts the list into the margin. */
const beside = matchMedia('(min-width: 80rem)');

if (contents && document.documentElement.dataset.kind === 'plain') {
  const links = new Map(
    [...contents.querySelectorAll<HTMLAnchorElement>('a')].map(link => [link.hash.slice(1), link]),
  );
  const headings = [...links.keys()].flatMap(id => document.getElementById(id) ?? []);

  const mark = (): void => {
    // What is in the upper third is being read.
    const here = headings.findLast(heading => heading.getBoundingClientRect().top < innerHeight / 3);
    for (const [id, link] of links)
      if (id === here?.id) link.setAttribute('aria-current', 'true');
      else link.removeAttribute('aria-current');
  };
  const watch = new IntersectionObserver(mark, { rootMargin: '0px 0px -66% 0px' });

  const place = (): void => {
    contents.open = beside.matches;
    for (const heading of headings)
      if (beside.matches) watch.observe(heading);
      else watch.unobserve(heading);
  };
  beside.addEventListener('change', place);
  place();
}
