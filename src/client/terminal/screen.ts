// xterm.js and its addons behind a small interface. Fetched only when a terminal opens. Knows no socket.

import { ClipboardAddon } from '@xterm/addon-clipboard';
import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { type ITheme, Terminal } from '@xterm/xterm';

export interface ScreenEvents {
  /** What the learner typed or pasted, and what the terminal itself answers to queries. */
  input(bytes: Uint8Array<ArrayBuffer>): void;
  resized(cols: number, rows: number): void;
  /** The browser did not let a selection onto the clipboard. */
  copyBlocked(): void;
}

export interface Screen {
  write(bytes: Uint8Array, parsed: () => void): void;
  /** Draws a stored screen; input stays mute until it is drawn, or old queries would be answered a second time. */
  replay(cols: number, rows: number, screen: string): void;
  /** The size that all viewers share. */
  resize(cols: number, rows: number): void;
  /** Fills the place it has, and reports the size. */
  fit(): void;
  size(): { cols: number; rows: number };
  focus(): void;
  find(text: string, back?: boolean): boolean;
  /** Puts the selection on the clipboard; false when the browser does not allow that. */
  copy(): Promise<boolean>;
  paste(text: string): void;
  setReader(on: boolean): void;
  dispose(): void;
}

/** Longest text that a program may put on the clipboard (OSC 52), in characters. */
const MAX_CLIPBOARD = 100_000;
/** How long after Esc a Tab still leaves the terminal, in ms. */
const LEAVE_WINDOW = 1500;

const light: ITheme = {
  black: '#1c2530',
  red: '#a5281f',
  green: '#1f6b32',
  yellow: '#7a5300',
  blue: '#1f4f9c',
  magenta: '#7c3a8c',
  cyan: '#0d6570',
  white: '#5b6570',
  brightBlack: '#5f6b78',
  brightRed: '#c1392e',
  brightGreen: '#2d7d43',
  brightYellow: '#8a6100',
  brightBlue: '#2f63b8',
  brightMagenta: '#9149a3',
  brightCyan: '#147885',
  brightWhite: '#1c2530',
};
const dark: ITheme = {
  black: '#1c252e',
  red: '#f28b80',
  green: '#8fd08f',
  yellow: '#eac26b',
  blue: '#8fb8f5',
  magenta: '#d3a2e6',
  cyan: '#74cbc9',
  white: '#d6dce1',
  brightBlack: '#8693a0',
  brightRed: '#ffb0a7',
  brightGreen: '#b1e5b0',
  brightYellow: '#f6d896',
  brightBlue: '#b5d1ff',
  brightMagenta: '#e6c4f3',
  brightCyan: '#a3e3e1',
  brightWhite: '#ffffff',
};

function theme(): ITheme {
  const style = getComputedStyle(document.documentElement);
  const value = (name: string) => style.getPropertyValue(name).trim();
  const isDark = style.colorScheme.includes('dark');
  return {
    ...(isDark ? dark : light),
    background: value('--term-paper'),
    foreground: value('--ink'),
    cursor: value('--accent'),
    cursorAccent: value('--term-paper'),
    selectionBackground: isDark ? '#2c5a55' : '#b9ded7',
  };
}

const safeLink = (uri: string): void => {
  if (/^https?:\/\//i.test(uri)) window.open(uri, '_blank', 'noopener,noreferrer');
};

/** Programs ask the terminal questions. The server's recorder answers each once; were every page to answer too, the answers
 * would land in the shell as typing. */
function leaveQueriesToServer(term: Terminal): void {
  const swallow = () => true;
  const csi: Parameters<typeof term.parser.registerCsiHandler>[0][] = [
    { final: 'c' },
    { prefix: '>', final: 'c' },
    { prefix: '=', final: 'c' },
    { final: 'n' },
    { prefix: '?', final: 'n' },
    { intermediates: '$', final: 'p' },
    { prefix: '?', intermediates: '$', final: 'p' },
    { final: 't' },
    { prefix: '>', final: 'q' },
  ];
  for (const id of csi) term.parser.registerCsiHandler(id, swallow);
  term.parser.registerDcsHandler({ intermediates: '$', final: 'q' }, swallow);
  for (const id of [4, 10, 11, 12]) term.parser.registerOscHandler(id, data => data.includes('?'));
  // What the clipboard holds is not told at all: even an empty answer would be typed at the prompt.
  term.parser.registerOscHandler(52, data => data.endsWith(';?'));
}

/** Without control characters: an escape in a copied text could end the paste, and the lines after it would run. */
function pasteable(text: string): string {
  return text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g, '');
}

export function createScreen(
  host: HTMLElement,
  label: string,
  helpId: string,
  reader: boolean,
  events: ScreenEvents,
): Screen {
  const term = new Terminal({
    allowProposedApi: true,
    // A binary file on the screen is no fault that anyone looks for; its thousands of complaints only take time.
    logLevel: 'off',
    cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
    fontFamily: getComputedStyle(document.documentElement).getPropertyValue('--mono'),
    fontSize: 13,
    lineHeight: 1.25,
    minimumContrastRatio: 4.5,
    screenReaderMode: reader,
    scrollback: 5000,
    theme: theme(),
    linkHandler: { activate: (_event, uri) => safeLink(uri), allowNonHttpProtocols: false },
  });
  const fit = new FitAddon();
  const search = new SearchAddon();
  term.loadAddon(fit);
  term.loadAddon(search);
  term.loadAddon(new Unicode11Addon());
  term.unicode.activeVersion = '11';
  term.loadAddon(new WebLinksAddon((_event, uri) => safeLink(uri)));
  // Programs may write the clipboard within limits, never read it.
  term.loadAddon(
    new ClipboardAddon(undefined, {
      readText: () => '',
      writeText: async (_selection, text) => {
        if (text.length <= MAX_CLIPBOARD) await navigator.clipboard?.writeText(text).catch(() => {});
      },
    }),
  );
  term.open(host);
  term.textarea?.setAttribute('aria-label', label);
  term.textarea?.setAttribute('aria-describedby', helpId);

  leaveQueriesToServer(term);

  let mute = false;
  // Events are timed from the page's beginning, so zero would make Esc of every page that has just come.
  let escapedAt = Number.NEGATIVE_INFINITY;
  const encoder = new TextEncoder();
  term.onData(data => {
    if (!mute) events.input(encoder.encode(data));
  });
  term.onBinary(data => {
    if (!mute) events.input(Uint8Array.from(data, char => char.charCodeAt(0)));
  });

  term.attachCustomKeyEventHandler(event => {
    if (event.type !== 'keydown') return true;
    if (event.key === 'Escape') escapedAt = event.timeStamp;
    // Esc, then Tab leaves the terminal: the browser then moves the focus as on any page.
    else if (event.key === 'Tab' && event.timeStamp - escapedAt < LEAVE_WINDOW) return false;
    else if (!['Shift', 'Control', 'Alt', 'Meta'].includes(event.key)) escapedAt = Number.NEGATIVE_INFINITY;
    // Ours, not the browser's: there it opens the developer tools. Ctrl+Insert the browser does by itself.
    if (event.ctrlKey && event.shiftKey && event.code === 'KeyC') {
      event.preventDefault();
      void copy().then(done => done || events.copyBlocked());
      return false;
    }
    // Left to the browser, which pastes as with Shift+Insert.
    if (event.ctrlKey && event.shiftKey && event.code === 'KeyV') return false;
    return true;
  });

  const copy = async (): Promise<boolean> => {
    if (!term.hasSelection()) return true;
    try {
      await navigator.clipboard.writeText(term.getSelection());
      return true;
    } catch {
      // Without the permission there is still the old way, which xterm answers with the selection.
      term.focus();
      return document.execCommand('copy');
    }
  };
  const paste = (text: string): void => term.paste(pasteable(text));
  // Before xterm hears of it, on whatever way the text comes: keys, a menu, the middle button.
  host.addEventListener(
    'paste',
    event => {
      event.preventDefault();
      event.stopPropagation();
      paste(event.clipboardData?.getData('text/plain') ?? '');
    },
    { capture: true },
  );

  let fitting: ReturnType<typeof setTimeout> | undefined;
  const fitNow = (): void => {
    if (host.offsetParent === null || host.clientHeight < 30) return;
    const proposed = fit.proposeDimensions();
    if (!proposed || !Number.isFinite(proposed.cols)) return;
    if (proposed.cols !== term.cols || proposed.rows !== term.rows) term.resize(proposed.cols, proposed.rows);
    events.resized(term.cols, term.rows);
  };
  const observer = new ResizeObserver(() => {
    clearTimeout(fitting);
    fitting = setTimeout(fitNow, 60);
  });
  observer.observe(host);
  // Another tab may have made the shell as wide as its own window: who types here wants it to fit here.
  term.textarea?.addEventListener('focus', fitNow);
  const themes = new MutationObserver(() => {
    term.options.theme = theme();
  });
  themes.observe(document.documentElement, { attributeFilter: ['data-theme'] });

  return {
    write: (bytes, parsed) => term.write(bytes, parsed),
    replay(cols, rows, screen) {
      mute = true;
      term.reset();
      if (cols > 0 && rows > 0) term.resize(cols, rows);
      term.write(screen, () => {
        mute = false;
        fitNow();
      });
    },
    resize(cols, rows) {
      if (cols > 0 && rows > 0 && (cols !== term.cols || rows !== term.rows)) term.resize(cols, rows);
    },
    fit: fitNow,
    size: () => ({ cols: term.cols, rows: term.rows }),
    focus: () => term.focus(),
    find: (text, back = false) => (text ? (back ? search.findPrevious(text) : search.findNext(text)) : false),
    copy,
    paste,
    setReader(on) {
      term.options.screenReaderMode = on;
    },
    dispose() {
      clearTimeout(fitting);
      observer.disconnect();
      themes.disconnect();
      term.dispose();
    },
  };
}
