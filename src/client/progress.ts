// The progress page: asks the server how far each lab is, takes progress away as a file and brings it back, forgets on request.

import type { LabProgress, ProgressOverview } from '#common/protocol/progress.ts';
import { announce, find, h } from './dom.ts';
import { ask } from './lab/ask.ts';
import { memory } from './memory.ts';
import { exportProgress, forgetProgress, importProgress, readProgress } from './server.ts';
import { type ClientStrings, fill, language, loadWords } from './words.ts';

const page = find('[data-progress-page]');
if (page) await start(page);

async function start(page: HTMLElement): Promise<void> {
  const [words, reach] = await Promise.all([loadWords(), readProgress()]);
  const notice = find('[data-progress-notice]', page)!;
  const say = (text: string, kind: '' | 'good' | 'bad' = '') => {
    notice.replaceChildren(h('p', { class: `notice ${kind}` }, text));
  };
  showLessons(page, words);
  if (reach.kind !== 'live') {
    say(reach.kind === 'no-token' ? words.noToken : words.progressNoServer);
    return;
  }

  const show = (overview: ProgressOverview) => {
    if (overview.problem) say(overview.problem[language], 'bad');
    const labs = new Map(overview.labs.map(lab => [lab.lab, lab]));
    for (const row of page.querySelectorAll<HTMLElement>('[data-row-lab]')) {
      const lab = row.dataset.rowLab ?? '';
      const progress = labs.get(lab);
      memory.rememberFinished(lab, progress?.completedAt !== undefined);
      find('[data-row-state]', row)!.replaceChildren(
        ...drawState(progress, Number(row.dataset.rowSteps), words),
        ...(progress ? [forgetOne(lab, find('a', row)?.textContent ?? lab)] : []),
      );
    }
    const some = overview.labs.length > 0;
    for (const button of page.querySelectorAll<HTMLButtonElement>('[data-wants-some]'))
      button.disabled = !some;
  };

  /** Runs what changes progress, then shows what is there now and says that it was done. */
  const change = async (what: () => Promise<ProgressOverview>, done: string) => {
    try {
      const overview = await what();
      say(done, 'good');
      show(overview);
      announce(done);
    } catch (error) {
      const reason = error instanceof TypeError ? words.serverLost : (error as Error).message;
      say(fill(words.progressFailed, { reason }), 'bad');
    }
  };

  const forgetOne = (lab: string, title: string) =>
    h(
      'button',
      {
        type: 'button',
        class: 'quiet',
        'data-forget': lab,
        'aria-label': fill(words.forgetLabel, { title }),
        onclick: async () => {
          const body = [fill(words.forgetBody, { title }), words.forgetCannot];
          if (await ask({ title: words.forgetAsk, body, yes: words.forget, no: words.cancel }))
            await change(() => forgetProgress({ lab }), fill(words.forgotten, { title }));
        },
      },
      words.forget,
    );

  const forgetAll = async () => {
    const body = [words.forgetAllBody, words.forgetCannot];
    if (await ask({ title: words.forgetAllAsk, body, yes: words.forgetAll, no: words.cancel }))
      await change(() => forgetProgress({}), words.forgottenAll);
  };

  const takeAway = async () => {
    try {
      const file = new Blob([JSON.stringify(await exportProgress(), null, 1)], { type: 'application/json' });
      const link = h('a', {
        href: URL.createObjectURL(file),
        download: `kubeflow-by-doing-${new Date().toISOString().slice(0, 10)}.json`,
      });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    } catch (error) {
      say(fill(words.progressFailed, { reason: (error as Error).message }), 'bad');
    }
  };

  const file = h('input', { type: 'file', accept: '.json,application/json', hidden: true });
  file.addEventListener('change', async () => {
    const [chosen] = file.files ?? [];
    file.value = '';
    if (!chosen) return;
    const body = [fill(words.importBody, { name: chosen.name }), words.forgetCannot];
    if (await ask({ title: words.importAsk, body, yes: words.importYes, no: words.cancel }))
      await change(async () => importProgress(await chosen.text()), words.imported);
  });

  const button = (name: string, text: string, onclick: () => unknown, wantsSome: boolean) =>
    h(
      'button',
      {
        type: 'button',
        class: 'button small plain',
        [`data-${name}`]: true,
        'data-wants-some': wantsSome,
        onclick,
      },
      text,
    );
  const tools = find('[data-progress-do]', page)!;
  tools.append(
    button('export', words.exportIt, () => void takeAway(), true),
    button('import', words.importIt, () => file.click(), false),
    file,
    button('forget-all', words.forgetAll, () => void forgetAll(), true),
  );
  tools.hidden = false;
  show(reach.overview);
}

/** Lessons without a lab know only whether they were opened in this browser. */
function showLessons(page: HTMLElement, words: ClientStrings): void {
  const opened = new Set(memory.lessons());
  for (const row of page.querySelectorAll<HTMLElement>('[data-row]:not([data-row-lab])'))
    find('[data-row-state]', row)!.textContent = opened.has(row.dataset.row ?? '')
      ? words.lessonOpened
      : words.notBegun;
}

function drawState(progress: LabProgress | undefined, steps: number, words: ClientStrings): Node[] {
  if (!progress) return [h('span', {}, words.notBegun)];
  const passed = Math.min(progress.passed.length, steps);
  const done = progress.completedAt !== undefined;
  const best = progress.best && fill(words.bestPoints, { ...progress.best });
  return [
    h('span', { class: 'progress-bar', 'aria-hidden': 'true' }, barOf(passed, steps)),
    h('span', {}, fill(words.steps, { done: passed, all: steps })),
    ...(done ? [h('span', { 'data-state': 'done' }, `✓ ${words.done}`)] : []),
    ...(best ? [h('span', {}, best)] : []),
    ...(progress.attempts > 1 ? [h('span', {}, fill(words.begunTimes, { n: progress.attempts }))] : []),
  ];
}

function barOf(passed: number, steps: number): HTMLElement {
  const bar = h('span');
  bar.style.width = `${(100 * passed) / Math.max(1, steps)}%`;
  return bar;
}
