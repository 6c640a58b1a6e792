// The terminal panel: tabs, tools, the state of each line, and the way out by keyboard. Fetches xterm when the first
// terminal opens. Knows no lab.

import type { ForwardInfo, TerminalInfo } from '#common/protocol/session.ts';
import { announce, h } from '../dom.ts';
import { memory } from '../memory.ts';
import type { Link } from '../socket.ts';
import { type ClientStrings, fill } from '../words.ts';
import { forwardAddress } from './forward-address.ts';
import { Line } from './line.ts';
import type { Screen } from './screen.ts';

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
/** How long a line about a refused copy or paste stays, in ms. */
const NOTE_STAYS = 6000;
/** When a terminal that the server did not know is asked for once more, in ms. */
const LOST_AGAIN = 2000;

/** Paths of 24 × 24 line icons. */
const ICONS = {
  find: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5 20 20',
  copy: 'M9 9h11v11H9zM15 9V4H4v11h5',
  paste: 'M8 5H5v15h14V5h-3M9 3.5h6v4H9zM9 12h6M9 16h4',
  reader: 'M4 9.5v5h3.5L12 19V5L7.5 9.5zM16 9a4.5 4.5 0 0 1 0 6M18.5 6.5a8 8 0 0 1 0 11',
};

export class TerminalPanel {
  #words: ClientStrings;
  #wishes: PanelWishes;
  #tabs = new Map<string, Tab>();
  #active: string | undefined;
  #loading: Promise<typeof import('./screen.ts')> | undefined;
  #wanted: TerminalInfo[] = [];
  #waiters: { number: number; give: (tab: Tab) => void }[] = [];
  #reader = memory.screenReader();
  #countdown: ReturnType<typeof setInterval> | undefined;
  #note: string | undefined;
  #noteEnd: ReturnType<typeof setTimeout> | undefined;
  #locked = false;

  #tablist = h('div', { class: 'term-tabs' });
  #state = h('div', { class: 'term-state', role: 'status', hidden: true });
  #forwards = h('div', { class: 'term-forwards', role: 'status', hidden: true });
  #screens = h('div', { class: 'term-screens' });
  #finder: HTMLElement;
  #findInput: HTMLInputElement;
  #readerButton: HTMLButtonElement;
  #tools: HTMLElement;
  #empty: HTMLElement;

  constructor(root: HTMLElement, words: ClientStrings, wishes: PanelWishes, emptyAction: Node) {
    this.#words = words;
    this.#wishes = wishes;
    this.#findInput = h('input', {
      type: 'search',
      'aria-label': words.findLabel,
      onkeydown: (event: KeyboardEvent) => this.#findKey(event),
    });
    this.#finder = h('div', { class: 'term-find', hidden: true }, this.#findInput);
    this.#readerButton = this.#tool(ICONS.reader, this.#reader ? words.readerOff : words.readerOn, () =>
      this.#toggleReader(),
    );
    this.#readerButton.setAttribute('aria-pressed', String(this.#reader));
    this.#tools = h(
      'div',
      { class: 'term-tools', hidden: true },
      this.#tool(ICONS.find, words.find, () => this.#toggleFind()),
      this.#tool(ICONS.copy, words.copy, () => this.#copy()),
      this.#tool(ICONS.paste, words.paste, () => this.#paste()),
      this.#readerButton,
    );
    this.#empty = h('div', { class: 'term-empty' }, h('p', {}, words.terminalEmpty), emptyAction);
    root.append(
      h('div', { class: 'term-bar' }, this.#tablist, this.#tools),
      this.#finder,
      this.#state,
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
    this.#tools.hidden = terminals.length === 0;
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
    const tab = this.#active ? this.#tabs.get(this.#active) : undefined;
    if (!tab || tab.line.running || tab.link.kind !== 'open') return false;
    // To the end of the line, then clear it: readline's own keys.
    tab.line.input(new TextEncoder().encode(`\x05\x15${text}`));
    tab.screen.focus();
    return true;
  }

  /** One line above the screens, until the learner types or `undefined` takes it away. */
  say(sentence: string | undefined): void {
    clearTimeout(this.#noteEnd);
    this.#note = sentence;
    this.#drawState();
  }

  /** The server that answers wants a new pass: what is said while the lines wait for one. */
  locked(on: boolean): void {
    if (this.#locked === on) return;
    this.#locked = on;
    this.#drawState();
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
    if (this.#active) this.#tabs.get(this.#active)?.screen.focus();
  }

  #tabFor(number: number | undefined): Promise<Tab> {
    const shown = number === undefined && this.#active ? this.#tabs.get(this.#active) : undefined;
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
    const screen = create(place, fill(this.#words.terminalN, { n: number }), HELP_ID, this.#reader, {
      input: bytes => {
        if (this.#note !== undefined) this.say(undefined);
        tab.line.input(bytes);
      },
      resized: (cols, rows) => tab?.line.resized(cols, rows),
      copyBlocked: () => this.#say(this.#words.copyBlocked),
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
    const tab = id ? this.#tabs.get(id) : undefined;
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
    this.#drawState();
  }

  #drawState(): void {
    clearInterval(this.#countdown);
    const tab = this.#active ? this.#tabs.get(this.#active) : undefined;
    const words = this.#words;
    const open = tab?.exited === undefined && tab?.link.kind === 'open';
    this.#state.hidden = tab === undefined || (open && this.#note === undefined);
    if (!tab || this.#state.hidden) return;
    if (open) {
      this.#state.replaceChildren(this.#note ?? '');
      return;
    }
    if (lost(tab)) {
      this.#state.replaceChildren(words.terminalLost);
      return;
    }
    if (tab.exited !== undefined) {
      this.#state.replaceChildren(
        fill(words.ended, { code: tab.exited }),
        h(
          'button',
          { type: 'button', class: 'button small plain', onclick: () => this.#replace(tab) },
          words.endedOpen,
        ),
      );
      return;
    }
    if (tab.link.kind === 'connecting') {
      this.#state.replaceChildren(words.connecting);
      return;
    }
    const { until } = tab.link as { until: number };
    const text = h('span');
    const tick = (): void => {
      const seconds = Math.max(0, Math.ceil((until - Date.now()) / 1000));
      text.textContent = this.#locked ? words.serverLocked : fill(words.reconnecting, { seconds });
    };
    tick();
    this.#countdown = setInterval(tick, 500);
    this.#state.replaceChildren(
      text,
      h(
        'button',
        { type: 'button', class: 'button small plain', onclick: () => tab.line.retry() },
        words.reconnectNow,
      ),
    );
  }

  #replace(tab: Tab): void {
    this.#wishes.open();
    this.#wishes.close(tab.info.id);
  }

  #tool(icon: string, label: string, onclick: () => void): HTMLButtonElement {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('aria-hidden', 'true');
    const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    path.setAttribute('d', icon);
    svg.append(path);
    return h('button', { type: 'button', class: 'quiet', 'aria-label': label, title: label, onclick }, svg);
  }

  #shown(): Screen | undefined {
    return this.#active ? this.#tabs.get(this.#active)?.screen : undefined;
  }

  #toggleFind(): void {
    this.#finder.hidden = !this.#finder.hidden;
    if (this.#finder.hidden) this.focus();
    else this.#findInput.focus();
  }

  #findKey(event: KeyboardEvent): void {
    if (event.key === 'Escape') this.#toggleFind();
    if (event.key !== 'Enter') return;
    if (!this.#shown()?.find(this.#findInput.value, event.shiftKey)) announce(this.#words.findNone);
  }

  async #copy(): Promise<void> {
    if ((await this.#shown()?.copy()) === false) this.#say(this.#words.copyBlocked);
    this.focus();
  }

  async #paste(): Promise<void> {
    try {
      this.#shown()?.paste(await navigator.clipboard.readText());
    } catch {
      this.#say(this.#words.pasteBlocked);
    }
    this.focus();
  }

  #say(sentence: string): void {
    this.#note = sentence;
    clearTimeout(this.#noteEnd);
    this.#noteEnd = setTimeout(() => this.say(undefined), NOTE_STAYS);
    this.#drawState();
  }

  #toggleReader(): void {
    this.#reader = !this.#reader;
    memory.rememberScreenReader(this.#reader);
    for (const tab of this.#tabs.values()) tab.screen.setReader(this.#reader);
    const label = this.#reader ? this.#words.readerOff : this.#words.readerOn;
    this.#readerButton.setAttribute('aria-pressed', String(this.#reader));
    this.#readerButton.setAttribute('aria-label', label);
    this.#readerButton.title = label;
  }
}

/** The server does not know this terminal any more, and its shell did not end. */
function lost(tab: Tab): boolean {
  return tab.link.kind === 'closed' && tab.exited === undefined;
}
