// The lab panel: head with progress, the start box, and the steps as the session says they are. Knows no terminal.

import type { AttemptView, StepView, Text } from '#common/protocol/session.ts';
import { announce, find, h } from '../dom.ts';
import { memory } from '../memory.ts';
import type { Session } from '../session.ts';
import { type ClientStrings, fill, language } from '../words.ts';
import { ask } from './ask.ts';
import { drawStep } from './step.ts';

export class LabPanel {
  #root: HTMLElement;
  #words: ClientStrings;
  #session: Session;
  #next: string | undefined;
  #start: HTMLElement;
  #steps: HTMLElement;
  #tools = h('div', { class: 'lab-tools' });
  #bar = h('div', { class: 'lab-bar', hidden: true }, h('span'));
  #notice = h('div', { role: 'status' });
  /** Steps that the learner opened or closed by hand. */
  #byHand = new Map<string, boolean>();
  #drawn = new Map<string, string>();
  #attempt: AttemptView | undefined;

  constructor(root: HTMLElement, words: ClientStrings, session: Session, next: string | undefined) {
    this.#root = root;
    this.#words = words;
    this.#session = session;
    this.#next = next;
    this.#start = find('[data-lab-start]', root)!;
    this.#steps = find('[data-lab-steps]', root)!;
    find('.lab-head', root)!.append(this.#tools, this.#bar);
    this.#start.after(this.#notice);
    session.watch({
      attempt: attempt => this.#show(attempt),
      step: (step, before) => this.#stepChanged(step, before),
      error: note => this.#say(note),
    });
  }

  showStart(box: HTMLElement | undefined): void {
    this.#start.replaceChildren(...(box ? [box] : []));
  }

  #show(attempt: AttemptView): void {
    const fresh = this.#attempt === undefined || this.#attempt.startedAt !== attempt.startedAt;
    if (fresh) {
      this.#byHand.clear();
      this.#drawn.clear();
      this.#steps.replaceChildren();
    }
    this.#attempt = attempt;
    this.#drawAll();
  }

  #stepChanged(step: StepView, before: StepView | undefined): void {
    if (!this.#attempt) return;
    const at = this.#attempt.steps.findIndex(one => one.id === step.id);
    if (at < 0) return;
    this.#attempt.steps[at] = step;
    if (before && before.state !== step.state) {
      if (step.state === 'passed') announce(fill(this.#words.announcePassed, { n: at + 1 }));
      if (step.state === 'slipped') announce(fill(this.#words.announceSlipped, { n: at + 1 }));
      this.#byHand.delete(step.id);
    }
    this.#drawAll();
    if (before && before.state !== 'passed' && step.state === 'passed') {
      const item = find(`[data-step="${CSS.escape(step.id)}"]`, this.#steps);
      item?.classList.add('just-passed');
      // To the next step, or up to the words about the end.
      const next = find('[data-current]', this.#steps) ?? this.#notice;
      next.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
    }
  }

  #drawAll(): void {
    const attempt = this.#attempt!;
    const done = attempt.steps.filter(step => step.state === 'passed').length;
    const complete = done === attempt.steps.length && done > 0;
    memory.rememberFinished(attempt.lab, complete);
    this.#tools.replaceChildren(
      h('span', { 'data-progress': true }, fill(this.#words.steps, { done, all: attempt.steps.length })),
      h(
        'button',
        { type: 'button', class: 'quiet', 'data-reset': true, onclick: () => this.#reset() },
        this.#words.reset,
      ),
    );
    this.#bar.hidden = false;
    this.#bar.querySelector('span')!.style.width = `${(100 * done) / attempt.steps.length}%`;
    const count = find('[data-lab-count]');
    if (count) count.textContent = `${done}/${attempt.steps.length}`;
    this.#drawNotice(attempt, complete);

    const current = attempt.steps.find(step => step.state !== 'passed')?.id;
    attempt.steps.forEach((step, index) => {
      const open = this.#byHand.get(step.id) ?? (step.id === current || step.state === 'slipped');
      this.#drawOne(step, index + 1, open && attempt.status !== 'preparing', step.id === current);
    });
  }

  /** Redraws a step only when it changed, and keeps what the learner is typing in it. */
  #drawOne(step: StepView, number: number, open: boolean, current: boolean): void {
    const shape = JSON.stringify([step, open, current]);
    if (this.#drawn.get(step.id) === shape) return;
    this.#drawn.set(step.id, shape);
    const fresh = drawStep(step, number, open, current, this.#words, {
      answer: (check, value) => this.#session.send({ type: 'answer', step: step.id, check, value }),
      hint: () => this.#session.send({ type: 'hint', step: step.id }),
      toggle: () => {
        this.#byHand.set(step.id, !open);
        this.#drawAll();
      },
    });
    const old = find(`[data-step="${CSS.escape(step.id)}"]`, this.#steps);
    if (!old) {
      this.#steps.append(fresh);
      return;
    }
    const active = old.contains(document.activeElement) ? (document.activeElement as HTMLElement) : undefined;
    const key = active?.dataset.key;
    for (const kept of old.querySelectorAll<HTMLInputElement>('input[data-key]')) {
      const twin = find<HTMLInputElement>(`input[data-key="${CSS.escape(kept.dataset.key!)}"]`, fresh);
      if (twin && kept.type === 'radio') twin.checked = kept.checked;
      else if (twin && kept.value) twin.value = kept.value;
    }
    old.replaceWith(fresh);
    if (key) {
      const again =
        find<HTMLInputElement>(`[data-key="${CSS.escape(key)}"]`, fresh) ?? find('.step-toggle', fresh);
      again?.focus({ preventScroll: true });
      if (active instanceof HTMLInputElement && active.type === 'text' && again instanceof HTMLInputElement)
        again.setSelectionRange(active.selectionStart, active.selectionEnd);
    }
  }

  #drawNotice(attempt: AttemptView, complete: boolean): void {
    const words = this.#words;
    if (attempt.status === 'preparing') {
      this.#notice.replaceChildren(h('p', { class: 'notice' }, attempt.note?.[language] ?? words.preparing));
    } else if (attempt.status === 'failed') {
      this.#notice.replaceChildren(
        h('p', { class: 'notice bad' }, `${words.failed}: ${attempt.note?.[language] ?? ''}`),
      );
    } else if (complete) {
      const minutes = attempt.completedAt
        ? Math.max(1, Math.round((Date.parse(attempt.completedAt) - Date.parse(attempt.startedAt)) / 60_000))
        : attempt.minutes;
      this.#notice.replaceChildren(
        h(
          'p',
          { class: 'notice good', 'data-complete': true },
          h('strong', {}, words.complete),
          ' ',
          fill(words.completeBody, { minutes }),
          this.#next !== undefined && ' ',
          this.#next !== undefined && h('a', { href: this.#next }, words.nextLesson),
        ),
      );
    } else this.#notice.replaceChildren();
  }

  #say(note: Text): void {
    this.#notice.replaceChildren(h('p', { class: 'notice bad' }, note[language]));
  }

  async #reset(): Promise<void> {
    const words = this.#words;
    const yes = await ask({
      title: words.resetTitle,
      body: words.resetBody,
      yes: words.resetYes,
      no: words.cancel,
    });
    if (yes) this.#session.send({ type: 'reset' });
    find<HTMLElement>('[data-reset]', this.#root)?.focus();
  }
}
