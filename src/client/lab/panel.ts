// The lab panel: head with progress, the start box, and the steps as the session says they are. Knows no terminal.

import type { AttemptView, CheckView, StepView, Text } from '#common/protocol/session.ts';
import { announce, find, h } from '../dom.ts';
import { memory } from '../memory.ts';
import type { Session } from '../session.ts';
import type { RunState } from '../terminal/panel.ts';
import { type ClientStrings, fill, language } from '../words.ts';
import { ask } from './ask.ts';
import type { Compared } from './loss.ts';

/** What only an open lab needs; it comes while the lab opens. */
const drawing = () => Promise.all([import('./step.ts'), import('./result.ts')]);
type Drawing = Awaited<ReturnType<typeof drawing>>;
type Author = typeof import('./author.ts');

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
  #startedAt = '';
  #noticed = '';
  /** Undefined until the lab is ready: what was complete when the page opened is not just done. */
  #ended: boolean | undefined;
  #drawing: Drawing | undefined;
  #author: Author | undefined;
  /** How the lines of solutions went that were performed here: `step/line`. */
  #performed = new Map<string, RunState>();
  /** The line of a solution that waits to be compared. */
  #comparing: { step: string; line: number; run: () => void } | undefined;
  /** What was opened below a check. */
  #opened = new Set<string>();
  #run: (text: string, report: (state: RunState) => void) => void;

  constructor(
    root: HTMLElement,
    words: ClientStrings,
    session: Session,
    next: string | undefined,
    /** Types a command into the shown terminal; only ever called from a click. */
    run: (text: string, report: (state: RunState) => void) => void,
  ) {
    this.#run = run;
    this.#root = root;
    this.#words = words;
    this.#session = session;
    this.#next = next;
    this.#start = find('[data-lab-start]', root)!;
    this.#steps = find('[data-lab-steps]', root)!;
    find('.lab-head', root)!.append(this.#tools, this.#bar);
    this.#start.after(this.#notice);
    session.watch({
      attempt: attempt => void this.#show(attempt),
      step: (step, before) => this.#stepChanged(step, before),
      compared: message => void this.#compared(message),
      error: note => this.#say(note),
    });
  }

  showStart(box: HTMLElement | undefined): void {
    this.#start.replaceChildren(...(box ? [box] : []));
  }

  async #show(attempt: AttemptView): Promise<void> {
    this.#attempt = attempt;
    this.#drawing ??= await drawing();
    if (attempt.author) this.#author ??= await import('./author.ts');
    // Another one may have come while the code was on its way.
    if (this.#attempt === attempt) this.#draw(attempt);
  }

  #draw(attempt: AttemptView): void {
    const fresh = this.#startedAt !== attempt.startedAt;
    if (fresh) {
      this.#byHand.clear();
      this.#drawn.clear();
      this.#performed.clear();
      this.#steps.replaceChildren();
    }
    this.#startedAt = attempt.startedAt;
    this.#follow(attempt);
    this.#drawAll();
  }

  /** An author may have renamed the lab, or taken steps out of it. */
  #follow({ title, steps }: AttemptView): void {
    find('#lab-title', this.#root)!.textContent = title[language];
    for (const item of this.#steps.querySelectorAll<HTMLElement>('[data-step]')) {
      if (steps.some(({ id }) => id === item.dataset.step)) continue;
      item.remove();
      this.#drawn.delete(item.dataset.step!);
    }
  }

  #stepChanged(step: StepView, before: StepView | undefined): void {
    if (!this.#attempt || !this.#drawing) return;
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
      find('[data-current]', this.#steps)?.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
    }
  }

  #drawAll(): void {
    const attempt = this.#attempt!;
    const done = attempt.steps.filter(step => step.state === 'passed').length;
    const complete = done === attempt.steps.length && done > 0;
    memory.rememberFinished(attempt.lab, complete);
    this.#tools.replaceChildren(
      ...[
        h('span', { 'data-progress': true }, fill(this.#words.steps, { done, all: attempt.steps.length })),
        attempt.points && h('span', { 'data-points': true }, this.#points(attempt)),
        h(
          'button',
          { type: 'button', class: 'quiet', 'data-reset': true, onclick: () => this.#reset() },
          this.#words.reset,
        ),
      ].filter(part => part !== undefined),
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
    const performed = [...this.#performed].filter(([key]) => key.startsWith(`${step.id}/`));
    const shape = JSON.stringify([step, open, current, performed]);
    if (this.#drawn.get(step.id) === shape) return;
    this.#drawn.set(step.id, shape);
    const [{ drawStep }] = this.#drawing!;
    const fresh = drawStep(step, number, open, current, this.#words, {
      answer: (check, value) => this.#session.send({ type: 'answer', step: step.id, check, value }),
      hint: () => this.#session.send({ type: 'hint', step: step.id }),
      solution: () => void this.#openSolution(step),
      rewind: () => void this.#rewind(step),
      perform: line => this.#perform(step, line),
      performed: line => this.#performed.get(`${step.id}/${line}`),
      isOpen: what => this.#opened.has(what),
      opened: (what, open) => void (open ? this.#opened.add(what) : this.#opened.delete(what)),
      author: check => this.#drawAuthor(step, check),
      toggle: () => {
        this.#byHand.set(step.id, !open);
        this.#drawAll();
      },
    });
    const old = find(`[data-step="${CSS.escape(step.id)}"]`, this.#steps);
    if (!old) {
      this.#steps.insertBefore(fresh, this.#steps.children[number - 1] ?? null);
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

  /** What holds for the lab as a whole; left alone while it stays the same, so that nobody loses their place in it. */
  #drawNotice(attempt: AttemptView, complete: boolean): void {
    const { status, note, undo, unsaved, result, author } = attempt;
    const shape = JSON.stringify([status, note, undo, unsaved, result, author, complete]);
    if (shape === this.#noticed) return;
    this.#noticed = shape;
    const words = this.#words;
    const [, { drawResult }] = this.#drawing!;
    const parts: (HTMLElement | false | undefined)[] = [
      author && this.#author?.drawAuthorHead(author),
      unsaved && h('p', { class: 'notice bad', 'data-unsaved': true }, unsaved[language]),
      undo && status !== 'preparing' && this.#drawUndo(undo),
    ];
    if (status === 'preparing') parts.push(h('p', { class: 'notice' }, note?.[language] ?? words.preparing));
    else if (status === 'failed')
      parts.push(h('p', { class: 'notice bad' }, `${words.failed}: ${note?.[language] ?? ''}`));
    else if (complete && result) parts.push(drawResult(attempt, result, words, this.#next));
    this.#notice.replaceChildren(...parts.filter(part => part !== false && part !== undefined));
    // The last step lies at the bottom, the words about the end at the top: whoever just got there is taken to them.
    const ended = status === 'complete';
    if (ended && this.#ended === false) this.#root.scrollTo({ top: 0, behavior: 'smooth' });
    this.#ended = status === 'preparing' ? undefined : ended;
  }

  #drawUndo(undo: NonNullable<AttemptView['undo']>): HTMLElement {
    const words = this.#words;
    const figures = { n: this.#numberOf(undo.step), line: (undo.line ?? 0) + 1 };
    const [said, body] =
      undo.what === 'rewind'
        ? [words.rewound, words.undoRewindBody]
        : undo.line === undefined
          ? [words.solutionOpen, words.undoSolutionBody]
          : [words.solutionLine, words.undoLineBody];
    const files = undo.files?.[language];
    const undoes = () => void this.#undo([fill(body, figures), ...(files ? [files] : [])]);
    return h(
      'p',
      { class: 'notice', 'data-undo': true },
      fill(said, figures),
      files !== undefined && ` ${files}`,
      ' ',
      h('button', { type: 'button', class: 'button small plain', onclick: undoes }, words.undo),
    );
  }

  #drawAuthor(step: StepView, check: CheckView): HTMLElement | false {
    if (!this.#author || !check.author) return false;
    const key = `${step.id}/${check.id}/author`;
    return this.#author.drawAuthorCheck(
      check.author,
      this.#opened.has(key),
      open => void (open ? this.#opened.add(key) : this.#opened.delete(key)),
    );
  }

  #numberOf(step: string): number {
    return (this.#attempt?.steps.findIndex(({ id }) => id === step) ?? -1) + 1;
  }

  #points({ steps }: AttemptView): string {
    const sum = (pick: 'got' | 'most') => steps.reduce((all, { points }) => all + (points?.[pick] ?? 0), 0);
    return fill(this.#words.pointsOf, { got: sum('got'), most: sum('most') });
  }

  /** Without a question once the hints are used up. */
  async #openSolution(step: StepView): Promise<void> {
    const words = this.#words;
    const yes =
      step.hintsLeft === 0 ||
      (await ask({
        title: words.solutionAsk,
        body: [
          fill(words.solutionHints, { n: step.hintsLeft }),
          fill(words.solutionCosts, { n: step.costs?.solution ?? 0 }),
          this.#attempt?.keeps ? words.solutionUndo : words.solutionNoUndo,
        ],
        yes: words.solution,
        no: words.cancel,
      }));
    if (yes) this.#session.send({ type: 'solution', step: step.id });
  }

  #perform(step: StepView, number: number): void {
    const line = Array.isArray(step.solution) ? step.solution[number] : undefined;
    if (!line) return;
    const report = (state: RunState) => {
      this.#performed.set(`${step.id}/${number}`, state);
      if (this.#attempt) this.#drawAll();
    };
    if (line.kind === 'command') {
      this.#comparing = { step: step.id, line: number, run: () => this.#run(line.text, report) };
      this.#session.send({ type: 'compare', step: step.id, line: number });
    } else if (this.#session.send({ type: 'answer', step: step.id, check: line.check, value: line.value }))
      report({ kind: 'done', exitCode: 0 });
  }

  /** The server told what a line would take away; another tab's question is not ours to answer. */
  async #compared(message: Compared): Promise<void> {
    const asked = this.#comparing;
    if (asked?.step !== message.step || asked.line !== message.line) return;
    this.#comparing = undefined;
    const { mayPerform } = await import('./loss.ts');
    if (await mayPerform(message, this.#words)) asked.run();
  }

  /** Says what will be lost before anything is. */
  async #rewind(step: StepView): Promise<void> {
    const words = this.#words;
    const n = this.#numberOf(step.id);
    const lost = this.#attempt!.steps.flatMap((one, index) =>
      index >= n && one.state !== 'open' ? [String(index + 1)] : [],
    );
    const yes = await ask({
      title: fill(words.rewindAsk, { n }),
      body: [
        fill(words.rewindCluster, { n }),
        lost.length > 0 ? fill(words.rewindSteps, { steps: lost.join(words.comma) }) : words.rewindNoSteps,
        words.rewindStays,
      ],
      yes: words.rewindYes,
      no: words.cancel,
    });
    if (yes) this.#session.send({ type: 'rewind', step: step.id });
  }

  async #undo(body: string[]): Promise<void> {
    const words = this.#words;
    const yes = await ask({
      title: words.undoAsk,
      body,
      yes: words.undo,
      no: words.cancel,
    });
    if (yes) this.#session.send({ type: 'undo' });
  }

  #say(note: Text): void {
    this.#noticed = '';
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
