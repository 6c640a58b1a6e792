// The tools of the terminal panel: find, copy, paste, and the mode for screen readers. Knows no tabs.

import { announce, h } from '../dom.ts';
import { memory } from '../memory.ts';
import type { ClientStrings } from '../words.ts';
import type { Screen } from './screen.ts';

export interface ToolWishes {
  shown(): Screen | undefined;
  screens(): Iterable<Screen>;
  remark(sentence: string): void;
}

/** Paths of 24 × 24 line icons. */
const ICONS = {
  find: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5 20 20',
  copy: 'M9 9h11v11H9zM15 9V4H4v11h5',
  paste: 'M8 5H5v15h14V5h-3M9 3.5h6v4H9zM9 12h6M9 16h4',
  reader: 'M4 9.5v5h3.5L12 19V5L7.5 9.5zM16 9a4.5 4.5 0 0 1 0 6M18.5 6.5a8 8 0 0 1 0 11',
};

export class Tools {
  readonly element: HTMLElement;
  /** Where one types what to find. */
  readonly finder: HTMLElement;
  readonly #words: ClientStrings;
  readonly #wishes: ToolWishes;
  readonly #findInput: HTMLInputElement;
  readonly #readerButton: HTMLButtonElement;
  #reader = memory.screenReader();

  constructor(words: ClientStrings, wishes: ToolWishes) {
    this.#words = words;
    this.#wishes = wishes;
    this.#findInput = h('input', {
      type: 'search',
      'aria-label': words.findLabel,
      onkeydown: (event: KeyboardEvent) => this.#findKey(event),
    });
    this.finder = h('div', { class: 'term-find', hidden: true }, this.#findInput);
    this.#readerButton = tool(ICONS.reader, this.#reader ? words.readerOff : words.readerOn, () =>
      this.#toggleReader(),
    );
    this.#readerButton.setAttribute('aria-pressed', String(this.#reader));
    this.element = h(
      'div',
      { class: 'term-tools', hidden: true },
      tool(ICONS.find, words.find, () => this.#toggleFind()),
      tool(ICONS.copy, words.copy, () => this.#copy()),
      tool(ICONS.paste, words.paste, () => this.#paste()),
      this.#readerButton,
    );
  }

  /** Whether new screens start in the mode for screen readers. */
  get reader(): boolean {
    return this.#reader;
  }

  #toggleFind(): void {
    this.finder.hidden = !this.finder.hidden;
    if (this.finder.hidden) this.#wishes.shown()?.focus();
    else this.#findInput.focus();
  }

  #findKey(event: KeyboardEvent): void {
    if (event.key === 'Escape') this.#toggleFind();
    if (event.key !== 'Enter') return;
    if (!this.#wishes.shown()?.find(this.#findInput.value, event.shiftKey)) announce(this.#words.findNone);
  }

  async #copy(): Promise<void> {
    if ((await this.#wishes.shown()?.copy()) === false) this.#wishes.remark(this.#words.copyBlocked);
    this.#wishes.shown()?.focus();
  }

  async #paste(): Promise<void> {
    try {
      this.#wishes.shown()?.paste(await navigator.clipboard.readText());
    } catch {
      this.#wishes.remark(this.#words.pasteBlocked);
    }
    this.#wishes.shown()?.focus();
  }

  #toggleReader(): void {
    this.#reader = !this.#reader;
    memory.rememberScreenReader(this.#reader);
    for (const screen of this.#wishes.screens()) screen.setReader(this.#reader);
    const label = this.#reader ? this.#words.readerOff : this.#words.readerOn;
    this.#readerButton.setAttribute('aria-pressed', String(this.#reader));
    this.#readerButton.setAttribute('aria-label', label);
    this.#readerButton.title = label;
  }
}

function tool(icon: string, label: string, onclick: () => void): HTMLButtonElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', icon);
  svg.append(path);
  return h('button', { type: 'button', class: 'quiet', 'aria-label': label, title: label, onclick }, svg);
}
