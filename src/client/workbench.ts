// Composition root of a lesson with a lab: wires server, session, terminal panel, lab panel and run buttons together.

import type { ClusterOffer } from '#common/protocol/session.ts';
import { find, h } from './dom.ts';
import { ask } from './lab/ask.ts';
import { LabPanel } from './lab/panel.ts';
import { drawBadge, drawStart } from './lab/start.ts';
import { offerMap } from './map/offer.ts';
import { memory, type OpenLab } from './memory.ts';
import { addRunButtons } from './runs.ts';
import { type Reach, reachServer } from './server.ts';
import { Session } from './session.ts';
import { bringPane, makeSplit } from './split.ts';
import { TerminalPanel } from './terminal/panel.ts';
import { fill, language, loadWords } from './words.ts';

makeSplit();
const root = find('[data-workbench]');
if (root) await start(root, root.dataset.lab ?? '');

async function start(workbench: HTMLElement, lab: string): Promise<void> {
  const [words, firstReach] = await Promise.all([loadWords(), reachServer()]);
  let reach: Reach = firstReach;
  const session = new Session();
  const labPanel = new LabPanel(
    find('[data-lab-panel]', workbench)!,
    words,
    session,
    workbench.dataset.next,
    (text, report) => {
      bringPane('terminal');
      void terminals.run(text, undefined, report);
    },
  );

  const emptyButton = h(
    'button',
    { type: 'button', class: 'button', 'data-open-terminal': true, onclick: () => void open() },
    words.open,
  );
  const emptyAction = h('div', {}, reach.kind === 'live' ? emptyButton : undefined);
  const terminals = new TerminalPanel(
    find('[data-terminal-panel]', workbench)!,
    words,
    {
      open: () => session.send({ type: 'open-terminal' }),
      close: terminal => session.send({ type: 'close-terminal', terminal }),
    },
    emptyAction,
  );
  session.watch({
    opened: state => {
      labPanel.showStart(undefined);
      showBadge(state.cluster);
      terminals.say(state.note?.[language]);
    },
    terminals: list => void terminals.show(list),
    forwards: list => terminals.forwards(list, session.state?.session ?? ''),
    renewed: state => terminals.say([words.sessionRenewed, state.note?.[language] ?? ''].join(' ').trim()),
    locked: on => terminals.locked(on),
    link: ({ kind }) => find('[data-cluster-badge]')?.toggleAttribute('data-live', kind === 'open'),
  });

  offerMap(session, command => {
    bringPane('terminal');
    return terminals.type(command);
  });

  function showBadge(cluster: ClusterOffer): void {
    const badge = find('[data-cluster-badge]');
    if (!badge) return;
    badge.hidden = false;
    badge.dataset.kind = cluster.kind;
    badge.replaceChildren(...drawBadge(cluster, words));
    badge.title = cluster.note[language];
  }

  function showStart(problem?: string): void {
    workbench.dataset.reach = reach.kind;
    labPanel.showStart(
      drawStart(reach, words, { start: cluster => void open(cluster), again: () => void again() }, problem),
    );
    emptyAction.replaceChildren(...(reach.kind === 'live' ? [emptyButton] : []));
  }

  async function again(): Promise<void> {
    reach = await reachServer();
    showStart();
  }

  function defaultCluster(): OpenLab['cluster'] | undefined {
    const offer =
      reach.kind === 'live' ? reach.status.clusters.find(one => one.state === 'available') : undefined;
    return offer && { kind: offer.kind, ...(offer.profile ? { profile: offer.profile } : {}) };
  }

  /** Opens the lab; asks for consent where the shell has no sandbox. True when it is open. */
  async function open(cluster = defaultCluster(), consent?: boolean): Promise<boolean> {
    if (session.state) return true;
    if (session.opening) return false;
    if (!cluster) {
      bringPane('lab');
      showStart();
      return false;
    }
    busy(true);
    try {
      const answer = await session.open({ lab, cluster, ...(consent ? { consent } : {}) });
      if (answer.ok) return true;
      if (answer.reason === 'needs-consent' && !consent) {
        const yes = await ask({
          title: words.consentTitle,
          body: answer.note[language],
          yes: words.consentYes,
          no: words.consentNo,
        });
        return yes ? await open(cluster, true) : false;
      }
      bringPane('lab');
      reach = await reachServer();
      showStart(answer.note[language]);
      return false;
    } catch (error) {
      bringPane('lab');
      // fetch throws a TypeError when nobody answers; anything else is the server's own sentence.
      const reason = error instanceof Error ? error.message : String(error);
      showStart(error instanceof TypeError ? words.serverLost : fill(words.openFailed, { reason }));
      return false;
    } finally {
      busy(false);
    }
  }

  function busy(on: boolean): void {
    for (const button of [emptyButton, find<HTMLButtonElement>('[data-start]', workbench)]) {
      if (!button) continue;
      button.disabled = on;
      button.textContent = on ? words.opening : words.open;
    }
  }

  showStart();
  if (reach.kind !== 'live') return;

  addRunButtons(words, async (text, terminal, report) => {
    bringPane('terminal');
    if (await open()) await terminals.run(text, terminal, report);
  });

  // Come back to what was open, or start what a click on the page before asked for.
  const kept = memory.openLab(lab);
  const asked = memory.takeStart() === lab;
  if (kept) await open(kept.cluster, kept.consent);
  else if (asked) await open();
}
