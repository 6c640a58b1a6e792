// The line above the screens: how it stands with the shown terminal's connection, or a sentence for the learner. Knows no tabs.

import { h } from '../dom.ts';
import type { Link } from '../socket.ts';
import { type ClientStrings, fill } from '../words.ts';

/** How long a passing remark stays, in ms. */
const REMARK_STAYS = 6000;

/** What it needs to know of a terminal. */
export interface Connection {
  link: Link;
  exited?: number;
  line: { retry(): void };
}

/** The server does not know this terminal any more, and its shell did not end. */
export const lost = ({ link, exited }: Connection): boolean => link.kind === 'closed' && exited === undefined;

export class StateLine<Shown extends Connection> {
  readonly element = h('div', { class: 'term-state', role: 'status', hidden: true });
  readonly #words: ClientStrings;
  readonly #replace: (shown: Shown) => void;
  #shown: Shown | undefined;
  #note: string | undefined;
  #noteEnd: ReturnType<typeof setTimeout> | undefined;
  #countdown: ReturnType<typeof setInterval> | undefined;
  #locked = false;

  /** `replace` opens another terminal where a shell has ended. */
  constructor(words: ClientStrings, replace: (shown: Shown) => void) {
    this.#words = words;
    this.#replace = replace;
  }

  /** One sentence, until `undefined` takes it away. */
  say(sentence: string | undefined): void {
    clearTimeout(this.#noteEnd);
    this.#note = sentence;
    this.draw(this.#shown);
  }

  /** One sentence for a moment. */
  remark(sentence: string): void {
    this.say(sentence);
    this.#noteEnd = setTimeout(() => this.say(undefined), REMARK_STAYS);
  }

  /** Who types has read it. */
  typed(): void {
    if (this.#note !== undefined) this.say(undefined);
  }

  /** The server that answers wants a new pass: what is said while the lines wait for one. */
  locked(on: boolean): void {
    if (this.#locked === on) return;
    this.#locked = on;
    this.draw(this.#shown);
  }

  draw(shown: Shown | undefined): void {
    this.#shown = shown;
    clearInterval(this.#countdown);
    const open = shown?.exited === undefined && shown?.link.kind === 'open';
    this.element.hidden = shown === undefined || (open && this.#note === undefined);
    if (shown && !this.element.hidden)
      this.element.replaceChildren(...(open ? [this.#note ?? ''] : this.#trouble(shown)));
  }

  #trouble(shown: Shown): (string | Node)[] {
    const words = this.#words;
    const { link, exited, line } = shown;
    const button = (label: string, onclick: () => void) =>
      h('button', { type: 'button', class: 'button small plain', onclick }, label);
    if (exited !== undefined)
      return [fill(words.ended, { code: exited }), button(words.endedOpen, () => this.#replace(shown))];
    if (lost(shown)) return [words.terminalLost];
    if (link.kind === 'connecting') return [words.connecting];
    const { until } = link as { until: number };
    const text = h('span');
    const tick = (): void => {
      const seconds = Math.max(0, Math.ceil((until - Date.now()) / 1000));
      text.textContent = this.#locked ? words.serverLocked : fill(words.reconnecting, { seconds });
    };
    tick();
    this.#countdown = setInterval(tick, 500);
    return [text, button(words.reconnectNow, () => line.retry())];
  }
}
