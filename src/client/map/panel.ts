// The cluster map: nodes with what is asked of them, pods by namespace, events as they happen; as a picture or as tables.
// Fetched when it is first opened. Knows no terminal: a click hands a command to whoever types it.

import type { ClusterMap } from '#common/protocol/map.ts';
import type { Text } from '#common/protocol/session.ts';
import { mapStrings } from '../../strings/map.ts';
import { announce, h } from '../dom.ts';
import { memory } from '../memory.ts';
import { fill, language } from '../words.ts';
import { Picture } from './picture.ts';
import { drawTables } from './tables.ts';

export interface MapWishes {
  /** Types without running; false when nothing was typed. */
  type(command: string): boolean;
}

export interface MapPanel {
  show(part: Partial<ClusterMap>, lost?: Text): void;
}

export function createMapPanel(root: HTMLElement, wishes: MapWishes): MapPanel {
  const words = mapStrings[language];
  let map: ClusterMap | undefined;
  let asTable = memory.screenReader();

  const notice = h('p', { class: 'map-notice', role: 'status' }, words.loading);
  const namespaces = h(
    'select',
    { 'aria-label': words.namespace, onchange: () => draw() },
    option('', words.allNamespaces),
  );
  const unready = h('input', { type: 'checkbox', onchange: () => draw() });
  const views = (['picture', 'table'] as const).map(view =>
    h(
      'button',
      {
        type: 'button',
        'data-view': view,
        onclick: () => {
          asTable = view === 'table';
          draw();
        },
      },
      words[view],
    ),
  );
  const body = h('div', { class: 'map-body' });
  root.replaceChildren(
    h(
      'div',
      { class: 'map-bar' },
      namespaces,
      h('label', {}, unready, ` ${words.troubleOnly}`),
      h('span', { class: 'map-views', role: 'group', 'aria-label': words.viewAs }, ...views),
    ),
    notice,
    body,
  );

  const picture = new Picture(words);
  root.addEventListener('click', event => {
    const command = (event.target as Element).closest<HTMLElement>('[data-command]')?.dataset.command;
    if (!command) return;
    const typed = wishes.type(command);
    notice.hidden = typed;
    if (typed) announce(fill(words.typed, { command }));
    else notice.textContent = words.notTyped;
  });

  function draw(): void {
    for (const button of views)
      button.setAttribute('aria-pressed', String((button.dataset.view === 'table') === asTable));
    if (!map) return;
    const shown = namespaces.value;
    const known = [...namespaces.options].slice(1).map(one => one.value);
    if (known.join() !== map.namespaces.join()) {
      namespaces.replaceChildren(
        option('', words.allNamespaces),
        ...map.namespaces.map(name => option(name, name)),
      );
      namespaces.value = map.namespaces.includes(shown) ? shown : '';
    }
    const filter = { namespace: namespaces.value, unready: unready.checked };
    if (asTable) body.replaceChildren(drawTables(map, filter, words));
    else {
      picture.draw(map, filter);
      if (picture.element.parentElement !== body) body.replaceChildren(picture.element);
    }
  }

  draw();
  return {
    show(part, lost) {
      if (lost) {
        notice.hidden = false;
        notice.textContent = lost[language];
        return;
      }
      notice.hidden = true;
      map = { ...(map ?? { nodes: [], namespaces: [], workloads: [], pods: [], events: [] }), ...part };
      draw();
    },
  };
}

function option(value: string, text: string): HTMLOptionElement {
  return h('option', { value }, text);
}
