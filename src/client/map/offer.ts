// The way to the map: its tab below the terminal appears with the cluster, and its script and its data come when it is opened.

import { find } from '../dom.ts';
import type { Session } from '../session.ts';
import { showLower } from '../split.ts';
import type { MapPanel } from './panel.ts';

export function offerMap(session: Session, type: (command: string) => boolean): void {
  const root = find('[data-map-panel]');
  const tabs = find('[data-lower-tabs]');
  if (!root || !tabs) return;
  let panel: Promise<MapPanel> | undefined;
  session.watch({
    opened: () => {
      tabs.hidden = false;
      const pane = find('[data-panes] [data-show="map"]');
      if (pane) pane.hidden = false;
    },
    map: (part, lost) => void panel?.then(open => open.show(part, lost)),
  });
  for (const button of tabs.querySelectorAll<HTMLElement>('[data-lower]'))
    button.addEventListener('click', () => showLower(button.dataset.lower === 'map' ? 'map' : 'lab'));
  addEventListener('lower', event => {
    const open = (event as CustomEvent<string>).detail === 'map';
    if (open) panel ??= import('./panel.ts').then(({ createMapPanel }) => createMapPanel(root, { type }));
    session.followMap(open);
  });
}
