// The movable borders of the split page, and on a narrow screen the tabs that show one pane at a time. Knows no content.

import { find } from './dom.ts';
import { memory } from './memory.ts';

interface Border {
  name: 'columns' | 'rows';
  area: HTMLElement;
  property: string;
  min: number;
  max: number;
}

/** How far an arrow key moves a border, in percent. */
const STEP = 2;

export function makeSplit(): void {
  const lesson = find('.lesson.split');
  const workbench = find('[data-workbench]');
  if (!lesson || !workbench) return;
  border({ name: 'columns', area: lesson, property: '--text-share', min: 25, max: 75 });
  border({ name: 'rows', area: workbench, property: '--terminal-share', min: 20, max: 85 });
  makePanes(lesson);
}

function border({ name, area, property, min, max }: Border): void {
  const handle = find(`[data-splitter="${name}"]`);
  if (!handle) return;
  const set = (share: number): void => {
    const within = Math.min(max, Math.max(min, share));
    area.style.setProperty(property, String(within));
    handle.setAttribute('aria-valuenow', String(Math.round(within)));
    memory.rememberShare(name, within);
  };
  const kept = memory.share(name);
  if (kept !== undefined) set(kept);
  const now = () => Number(handle.getAttribute('aria-valuenow'));
  handle.addEventListener('keydown', event => {
    const [less, more] = name === 'columns' ? ['ArrowLeft', 'ArrowRight'] : ['ArrowUp', 'ArrowDown'];
    const to = { [less!]: now() - STEP, [more!]: now() + STEP, Home: min, End: max }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    set(to);
  });
  handle.addEventListener('pointerdown', event => {
    event.preventDefault();
    handle.setPointerCapture(event.pointerId);
    const move = (moved: PointerEvent): void => {
      const box = area.getBoundingClientRect();
      set(
        name === 'columns'
          ? (100 * (moved.clientX - box.left)) / box.width
          : (100 * (moved.clientY - box.top)) / box.height,
      );
    };
    handle.addEventListener('pointermove', move);
    handle.addEventListener('lostpointercapture', () => handle.removeEventListener('pointermove', move), {
      once: true,
    });
  });
}

/** The lab panel and the map share the place below the terminal. */
export function showLower(which: 'lab' | 'map'): void {
  for (const [name, selector] of [
    ['lab', '[data-lab-panel]'],
    ['map', '[data-map-panel]'],
  ] as const) {
    const panel = find(selector);
    if (panel) panel.hidden = name !== which;
    find(`[data-lower="${name}"]`)?.setAttribute('aria-pressed', String(name === which));
  }
  dispatchEvent(new CustomEvent('lower', { detail: which }));
}

let showPane: (pane: string) => void = () => {};

/** Brings a pane to the front where only one fits; elsewhere all are visible and nothing happens. */
export function bringPane(pane: 'text' | 'terminal' | 'lab' | 'map'): void {
  showPane(pane);
}

function makePanes(lesson: HTMLElement): void {
  let textScroll = 0;
  showPane = pane => {
    if (lesson.dataset.pane === pane) return;
    if (lesson.dataset.pane === 'text') textScroll = scrollY;
    lesson.dataset.pane = pane;
    if (pane === 'lab' || pane === 'map') showLower(pane);
    for (const button of document.querySelectorAll<HTMLElement>('[data-panes] [data-show]'))
      button.setAttribute('aria-pressed', String(button.dataset.show === pane));
    if (matchMedia('(max-width: 60rem)').matches)
      scrollTo({ top: pane === 'text' ? textScroll : 0, behavior: 'instant' });
  };
  for (const button of document.querySelectorAll<HTMLElement>('[data-panes] [data-show]'))
    button.addEventListener('click', () => showPane(button.dataset.show ?? 'text'));
  for (const link of document.querySelectorAll<HTMLElement>('[data-show-pane]'))
    link.addEventListener('click', event => {
      event.preventDefault();
      showPane(link.dataset.showPane ?? 'lab');
      find('[data-lab-panel]')?.focus();
    });
}
