// Makes DOM elements from plain calls: h('button', { type: 'button', onclick }, 'Run'). Text is always text, never markup.

import { inlineParts } from './inline.ts';

type Child = Node | string | undefined | false | null;
type Props = Record<string, string | number | boolean | undefined | ((event: any) => void)>;

/** `on…` properties become listeners, `true` an empty attribute, `false` and `undefined` nothing. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false)
      element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter(child => child !== undefined && child !== false && child !== null));
  return element;
}

/** A sentence with `code` and **bold**. */
export function inline(text: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  for (const part of inlineParts(text))
    fragment.append(part.kind === 'text' ? part.text : h(part.kind, {}, part.text));
  return fragment;
}

export function find<T extends HTMLElement = HTMLElement>(
  selector: string,
  root: ParentNode = document,
): T | null {
  return root.querySelector<T>(selector);
}

/** Says a sentence to screen readers without moving the focus. */
export function announce(sentence: string): void {
  const region = find('[data-announce]');
  if (region) region.textContent = sentence;
}
