// The search box: asks Pagefind's index of this page's language while one types, and leads to the section. Knows no lesson.

import { searchStrings } from '../../strings/search.ts';
import { announce, h } from '../dom.ts';
import { fromRoot } from '../root.ts';
import { fill, language } from '../words.ts';
import { markQuery, type Part } from './excerpt.ts';

/** Pages shown at once, and sections of each. */
const MOST_PAGES = 8;
const MOST_SECTIONS = 3;
/** Typing rests this long before the index is asked, in ms. */
const REST = 120;

interface PageResult {
  url: string;
  excerpt: string;
  meta: { title?: string; part?: string };
  sub_results: { title: string; url: string; excerpt: string }[];
}

interface Pagefind {
  init(): Promise<void>;
  search(query: string): Promise<{ results: { data(): Promise<PageResult> }[] }>;
}

const words = searchStrings[language];
let box: { dialog: HTMLDialogElement; input: HTMLInputElement } | undefined;
let index: Promise<Pagefind> | undefined;

export function openSearch(): void {
  box ??= build();
  if (!box.dialog.open) box.dialog.showModal();
  box.input.select();
  index ??= load();
  index.catch(() => {});
}

function load(): Promise<Pagefind> {
  // Made after the pages are built, so no bundler may look for it.
  const url = fromRoot('pagefind/pagefind.js');
  return (import(/* @vite-ignore */ url) as Promise<Pagefind>).then(async pagefind => {
    await pagefind.init();
    return pagefind;
  });
}

function build(): NonNullable<typeof box> {
  const results = h('ol', { class: 'search-results' });
  const status = h('p', { class: 'search-status', role: 'status' }, words.hint);
  const input = h('input', {
    type: 'search',
    placeholder: words.placeholder,
    'aria-label': words.title,
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const dialog = h(
    'dialog',
    { class: 'search', 'aria-label': words.title },
    h(
      'div',
      { class: 'search-bar' },
      input,
      h('button', { type: 'button', class: 'quiet', onclick: () => dialog.close() }, words.close),
    ),
    status,
    results,
    h('p', { class: 'search-errors' }, h('a', { href: fromRoot(`${language}/errors/`) }, words.errors)),
  );

  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = 0;
  const ask = async (): Promise<void> => {
    const query = input.value.trim();
    const mine = ++asked;
    if (!query) {
      results.replaceChildren();
      status.textContent = words.hint;
      return;
    }
    try {
      const pagefind = await index!;
      const found = await pagefind.search(query);
      const pages = await Promise.all(found.results.slice(0, MOST_PAGES).map(result => result.data()));
      if (mine !== asked) return;
      results.replaceChildren(...pages.map(page => drawPage(page, query)));
      status.textContent =
        pages.length === 0
          ? fill(words.none, { query })
          : fill(found.results.length > pages.length ? words.foundMore : words.found, {
              n: found.results.length,
              shown: pages.length,
            });
    } catch {
      index = undefined;
      status.textContent = words.broken;
    }
  };
  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => void ask(), REST);
  });
  dialog.addEventListener('keydown', event => {
    const links = [...results.querySelectorAll('a')];
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    if (event.key === 'Enter' && document.activeElement === input) links[0]?.click();
    else if (event.key === 'ArrowDown') links[Math.min(at + 1, links.length - 1)]?.focus();
    else if (event.key === 'ArrowUp') (at > 0 ? links[at - 1] : input)?.focus();
    else return;
    event.preventDefault();
  });
  // A section of this very page is reached without leaving it.
  results.addEventListener('click', event => {
    if ((event.target as Element).closest('a')) dialog.close();
  });
  dialog.addEventListener('click', event => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener('close', () => announce(''));
  document.body.append(dialog);
  return { dialog, input };
}

function drawPage(page: PageResult, query: string): HTMLElement {
  const wanted = query.toLowerCase();
  const sections = page.sub_results
    .filter(section => section.url.includes('#'))
    .map(section => ({ section, parts: partsOf(section.excerpt) }))
    .toSorted((a, b) => Number(says(b, wanted)) - Number(says(a, wanted)))
    .slice(0, MOST_SECTIONS);
  return h(
    'li',
    {},
    h(
      'a',
      { class: 'search-page', href: page.url },
      page.meta.part && h('small', {}, `${page.meta.part} · `),
      page.meta.title ?? page.url,
    ),
    sections.length === 0
      ? h('p', {}, ...drawParts(partsOf(page.excerpt), query))
      : h(
          'ul',
          {},
          ...sections.map(({ section, parts }) =>
            h('li', {}, h('a', { href: section.url }, section.title), h('p', {}, ...drawParts(parts, query))),
          ),
        ),
  );
}

function says({ section, parts }: { section: { title: string }; parts: Part[] }, wanted: string): boolean {
  return `${section.title}\n${parts.map(part => part.text).join('')}`.toLowerCase().includes(wanted);
}

/** Excerpts are HTML with <mark>; only their text is used. */
function partsOf(excerpt: string): Part[] {
  const { body } = new DOMParser().parseFromString(excerpt, 'text/html');
  return [...body.childNodes].map(node => ({
    text: node.textContent ?? '',
    marked: node.nodeName === 'MARK',
  }));
}

function drawParts(parts: readonly Part[], query: string): (Node | string)[] {
  return markQuery(parts, query).map(part => (part.marked ? h('mark', {}, part.text) : part.text));
}
