// The terminal panel: tabs, tools, the state of each line, and the way out by keyboard. Fetches xterm when the first
// terminal opens. Knows no lab.

import type { ForwardInfo, TerminalInfo } from '#common/protocol/session.ts';
import { h } from '../dom.ts';
import type { Link } from '../socket.ts';
import { type ClientStrings, fill } from '../words.ts';
import { forwardAddress } from './forward-address.ts';
import { Line } from './line.ts';
import type { Screen } from './screen.ts';
import { lost, StateLine } from './state-line.ts';
import { Tools } from './tools.ts';

export interface PanelWishes {
  open(): void;
  close(id: string): void;
}

/** What a run button learns about its command. */
export type RunState =
  | { kind: 'sent' }
  | { kind: 'running' }
  | { kind: 'done'; exitCode: number }
  | { kind: 'refused'; reason: string };

interface Tab {
  info: TerminalInfo;
  number: number;
  place: HTMLElement;
  screen: Screen;
  line: Line;
  link: Link;
  exited?: number;
  run?: (state: RunState) => void;
}

const HELP_ID = 'terminal-help';
/** When a terminal that the server did not know is asked for once more, in ms. */
const LOST_AGAIN = 2000;

export class TerminalPanel {
  #words: ClientStrings;
  #wishes: PanelWishes;
  #tabs = new Map<string, Tab>();
  #active: string | undefined;
  #loading: Promise<typeof import('./screen.ts')> | undefined;
  #wanted: TerminalInfo[] = [];
  #waiters: { number: number; give: (tab: Tab) => void }[] = [];

  #tablist = h('div', { class: 'term-tabs' });
  #forwards = h('div', { class: 'term-forwards', role: 'status', hidden: true });
  #screens = h('div', { class: 'term-screens' });
  #state: StateLine<Tab>;
  #tools: Tools;
  #empty: HTMLElement;

  constructor(root: HTMLElement, words: ClientStrings, wishes: PanelWishes, emptyAction: Node) {
    this.#words = words;
    this.#wishes = wishes;
    this.#state = new StateLine(words, tab => {
      wishes.open();
      wishes.close(tab.info.id);
    });
    this.#tools = new Tools(words, {
      shown: () => this.#shown()?.screen,
      screens: () => [...this.#tabs.values()].map(tab => tab.screen),
      remark: sentence => this.#state.remark(sentence),
    });
    this.#empty = h('div', { class: 'term-empty' }, h('p', {}, words.terminalEmpty), emptyAction);
    root.append(
      h('div', { class: 'term-bar' }, this.#tablist, this.#tools.element),
      this.#tools.finder,
      this.#state.element,
      this.#forwards,
      this.#screens,
      h('p', { class: 'term-help', id: HELP_ID }, words.terminalHelp),
    );
    this.#screens.append(this.#empty);
  }

  /** Shows exactly these terminals; known ones keep their screens. */
  async show(terminals: TerminalInfo[]): Promise<void> {
    this.#wanted = terminals;
    const { createScreen } = await this.#load();
    if (this.#wanted !== terminals) return;
    // A dead line's terminal went with its server; the one that has its name now is another.
    for (const [id, tab] of this.#tabs)
      if (!terminals.some(info => info.id === id) || lost(tab)) this.#drop(tab);
    let added: Tab | undefined;
    terminals.forEach((info, index) => {
      const known = this.#tabs.get(info.id);
      if (known) known.number = index + 1;
      else added = this.#add(info, index + 1, createScreen);
    });
    this.#empty.hidden = terminals.length > 0;
    this.#tools.element.hidden = terminals.length === 0;
    const first = this.#active === undefined;
    if (added && !first) this.#activate(added.info.id, true);
    else if (!this.#active || !this.#tabs.has(this.#active)) this.#activate(terminals[0]?.id, false);
    this.#draw();
    this.#waiters = this.#waiters.filter(waiter => {
      const tab = this.#numbered(waiter.number);
      if (tab) waiter.give(tab);
      return !tab;
    });
  }

  get count(): number {
    return this.#wanted.length;
  }

  /** Types and runs a command in the nth terminal (the shown one by default), once there is one. */
  async run(text: string, number: number | undefined, report: (state: RunState) => void): Promise<void> {
    const tab = await this.#tabFor(number);
    this.#activate(tab.info.id, false);
    if (tab.line.running) return report({ kind: 'refused', reason: this.#words.lastTerminal });
    tab.run = report;
    report({ kind: 'sent' });
    if (await tab.line.run(text)) tab.screen.focus();
    else report({ kind: 'refused', reason: this.#words.serverLost });
  }

  /** Types into the shown terminal without running it, in place of what stood at the prompt; false when it cannot. */
  type(text: string): boolean {
    const tab = this.#shown();
    if (!tab || tab.line.running || tab.link.kind !== 'open') return false;
    // To the end of the line, then clear it: readline's own keys.
    tab.line.input(new TextEncoder().encode(`\x05\x15${text}`));
    tab.screen.focus();
    return true;
  }

  /** One line above the screens, until the learner types or `undefined` takes it away. */
  say(sentence: string | undefined): void {
    this.#state.say(sentence);
  }

  /** The server that answers wants a new pass: what is said while the lines wait for one. */
  locked(on: boolean): void {
    this.#state.locked(on);
  }

  /** Offers to open what kubectl forwards. The learner's click opens it, in a tab that cannot reach this one. */
  forwards(forwards: ForwardInfo[], session: string): void {
    this.#forwards.hidden = forwards.length === 0;
    this.#forwards.replaceChildren(
      ...forwards.map(forward =>
        h(
          'a',
          {
            href: forwardAddress(forward, session, location.hostname),
            target: '_blank',
            rel: 'noopener noreferrer',
          },
          fill(this.#words.openForward, { port: forward.port }),
        ),
      ),
    );
  }

  focus(): void {
    this.#shown()?.screen.focus();
  }

  #shown(): Tab | undefined {
    return this.#active ? this.#tabs.get(this.#active) : undefined;
  }

  #tabFor(number: number | undefined): Promise<Tab> {
    const shown = number === undefined ? this.#shown() : undefined;
    const tab = shown ?? this.#numbered(number ?? 1);
    if (tab) return Promise.resolve(tab);
    if (this.#wanted.length > 0 && (number ?? 1) > this.#wanted.length) this.#wishes.open();
    return new Promise(give => this.#waiters.push({ number: number ?? 1, give }));
  }

  #numbered(number: number): Tab | undefined {
    return [...this.#tabs.values()].find(tab => tab.number === number);
  }

  #load(): Promise<typeof import('./screen.ts')> {
    this.#loading ??= import('./screen.ts');
    return this.#loading;
  }

  #add(info: TerminalInfo, number: number, create: typeof import('./screen.ts').createScreen): Tab {
    const place = h('div', { class: 'term-screen', hidden: true });
    this.#screens.append(place);
    let tab: Tab;
    const screen = create(place, fill(this.#words.terminalN, { n: number }), HELP_ID, this.#tools.reader, {
      input: bytes => {
        this.#state.typed();
        tab.line.input(bytes);
      },
      resized: (cols, rows) => tab?.line.resized(cols, rows),
      copyBlocked: () => this.#state.remark(this.#words.copyBlocked),
    });
    const line = new Line(info.id, screen, {
      link: link => {
        if (!tab) return;
        tab.link = link;
        this.#draw();
      },
      command: (running, exitCode) => {
        if (running) tab.run?.({ kind: 'running' });
        else if (exitCode !== undefined) {
          tab.run?.({ kind: 'done', exitCode });
          tab.run = undefined;
        }
        this.#draw();
      },
      refused: reason => {
        tab.run?.({ kind: 'refused', reason });
        tab.run = undefined;
      },
      exited: code => {
        tab.exited = code;
        this.#draw();
      },
      gone: () => {
        tab.link = { kind: 'closed' };
        this.#draw();
        // Usually a new session's list comes and replaces it; this is for when that came first.
        setTimeout(() => this.#tabs.get(info.id) === tab && void this.show([...this.#wanted]), LOST_AGAIN);
      },
    });
    tab = { info, number, place, screen, line, link: { kind: 'connecting' } };
    this.#tabs.set(info.id, tab);
    return tab;
  }

  #drop(tab: Tab): void {
    tab.line.close();
    tab.screen.dispose();
    tab.place.remove();
    this.#tabs.delete(tab.info.id);
    if (this.#active === tab.info.id) this.#active = undefined;
  }

  #activate(id: string | undefined, focus: boolean): void {
    this.#active = id;
    for (const tab of this.#tabs.values()) tab.place.hidden = tab.info.id !== id;
    const tab = this.#shown();
    tab?.screen.fit();
    if (focus) tab?.screen.focus();
    this.#draw();
  }

  #draw(): void {
    const words = this.#words;
    const focused = this.#tablist.contains(document.activeElement);
    this.#tablist.replaceChildren(
      ...[...this.#tabs.values()].map(tab => {
        const name = fill(words.terminalN, { n: tab.number });
        const active = tab.info.id === this.#active;
        return h(
          'span',
          { class: 'term-tab', 'data-active': active },
          h(
            'button',
            {
              type: 'button',
              'aria-pressed': String(active),
              onclick: () => this.#activate(tab.info.id, true),
            },
            tab.line.running && h('span', { class: 'term-busy', title: words.running }),
            name,
          ),
          this.#tabs.size > 1 &&
            h(
              'button',
              {
                type: 'button',
                'aria-label': fill(words.closeTerminal, { name }),
                onclick: () => this.#wishes.close(tab.info.id),
              },
              '×',
            ),
        );
      }),
      ...(this.#tabs.size > 0
        ? [
            h(
              'span',
              { class: 'term-tab' },
              h(
                'button',
                {
                  type: 'button',
                  'aria-label': words.newTerminal,
                  title: words.newTerminal,
                  onclick: () => this.#wishes.open(),
                },
                '＋',
              ),
            ),
          ]
        : []),
    );
    if (focused) this.#tablist.querySelector<HTMLElement>('[data-active] button')?.focus();
    this.#state.draw(this.#shown());
  }
}
