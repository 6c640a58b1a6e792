// The run buttons below command blocks, and what became of each command. A command runs only from a click here: never from an
// address. Knows the terminal panel only as something that runs text.

import { h } from './dom.ts';
import type { RunState } from './terminal/panel.ts';
import { type ClientStrings, fill } from './words.ts';

export type Runner = (text: string, terminal: number | undefined, report: (state: RunState) => void) => void;

export function addRunButtons(words: ClientStrings, run: Runner): void {
  for (const block of document.querySelectorAll<HTMLElement>('.prose [data-run]')) {
    const text = block.dataset.run ?? '';
    const terminal = block.dataset.terminal ? Number(block.dataset.terminal) : undefined;
    const result = h('span', { role: 'status' });
    const button = h(
      'button',
      { type: 'button', class: 'button small', title: words.runTitle },
      `▶ ${terminal ? fill(words.runIn, { n: terminal }) : words.run}`,
    );
    button.addEventListener('click', () => {
      result.removeAttribute('data-result');
      result.textContent = '';
      run(text, terminal, state => show(result, state, words));
    });
    const place = block.closest('.expressive-code') ?? block;
    place.after(h('div', { class: 'run-bar' }, button, result));
  }
}

function show(result: HTMLElement, state: RunState, words: ClientStrings): void {
  switch (state.kind) {
    case 'sent':
      result.textContent = words.runSent;
      return;
    case 'running':
      result.textContent = words.running;
      return;
    case 'done':
      result.dataset.result = state.exitCode === 0 ? 'ok' : 'failed';
      result.textContent =
        state.exitCode === 0 ? `✓ ${words.ranOk}` : fill(words.ranFailed, { code: state.exitCode });
      return;
    case 'refused':
      result.dataset.result = 'failed';
      result.textContent = state.reason;
  }
}
