// The ways to the search box: its button and the key "/". The box and its index come when they are asked for.

import { find } from '../dom.ts';

const button = find('[data-search]');

async function open(): Promise<void> {
  const { openSearch } = await import('./box.ts');
  openSearch();
}

button?.addEventListener('click', () => void open());

addEventListener('keydown', event => {
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  // Where one writes, a slash is a slash; the terminal is such a place.
  const at = event.target as HTMLElement;
  if (at.closest('input, textarea, select, [contenteditable], dialog')) return;
  event.preventDefault();
  void open();
});
