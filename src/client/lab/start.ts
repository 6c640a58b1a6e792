// The box that starts a lab: which cluster, whether kubectl is there, and what to do without a server. Knows no terminal.

import type { ClusterOffer, ServerStatus } from '#common/protocol/session.ts';
import { h } from '../dom.ts';
import type { OpenLab } from '../memory.ts';
import { fetchKubectl, type Reach, reachServer } from '../server.ts';
import { type ClientStrings, fill, language } from '../words.ts';

/** How often a running download is asked about, in ms. */
const FETCH_POLL = 1000;

export interface StartWishes {
  start(cluster: OpenLab['cluster']): void;
  /** Look again: the server may be up by now, or kubectl be there. */
  again(): void;
}

function clusterName(offer: ClusterOffer, words: ClientStrings): string {
  const name =
    offer.kind === 'practice'
      ? words.practice
      : offer.profile
        ? `${words.minikube} (${offer.profile})`
        : words.minikube;
  return offer.version ? `${name} ${offer.version}` : name;
}

/** What the header shows: on a narrow screen only the beginning of the name fits. */
export function drawBadge(offer: ClusterOffer, words: ClientStrings): Node[] {
  const [before = '', after = ''] = words.onCluster.split('{name}');
  const name = clusterName(offer, words);
  const short = [words.practiceShort, words.minikube].find(word => name.startsWith(word)) ?? name;
  return [
    h('span', { class: 'wide-only' }, before),
    h('span', { class: 'cluster-name' }, short),
    h('span', { class: 'wide-only' }, `${name.slice(short.length)}${after}`),
  ];
}

export function drawStart(
  reach: Reach,
  words: ClientStrings,
  wishes: StartWishes,
  problem?: string,
): HTMLElement {
  if (reach.kind === 'reading')
    return h(
      'div',
      { class: 'lab-start' },
      h('p', {}, words.noServer),
      h('pre', {}, h('code', {}, words.noServerCommands)),
      h('p', { class: 'offer-note' }, words.noServerNeed),
    );
  if (reach.kind === 'no-token')
    return h(
      'div',
      { class: 'lab-start' },
      h('p', { class: 'notice' }, words.noToken),
      againButton(words, wishes),
    );

  const { status } = reach;
  const usable = status.clusters.filter(offer => offer.state === 'available');
  const kubectl = drawKubectl(status, words, wishes);
  let chosen = usable[0];
  const start = h(
    'button',
    {
      type: 'button',
      class: 'button',
      'data-start': true,
      onclick: () =>
        chosen && wishes.start({ kind: chosen.kind, ...(chosen.profile ? { profile: chosen.profile } : {}) }),
    },
    words.open,
  );
  start.disabled = !chosen || kubectl !== undefined;
  return h(
    'div',
    { class: 'lab-start' },
    problem !== undefined && h('p', { class: 'notice bad', role: 'alert' }, problem),
    kubectl,
    h(
      'fieldset',
      {},
      h('legend', {}, words.chooseCluster),
      ...status.clusters.map((offer, index) => {
        const input = h('input', {
          type: 'radio',
          name: 'cluster',
          value: String(index),
          onchange: () => {
            chosen = offer;
          },
        });
        input.checked = offer === chosen;
        input.disabled = offer.state !== 'available';
        return h(
          'label',
          { class: 'offer', 'data-state': offer.state },
          input,
          h(
            'span',
            {},
            h('strong', {}, clusterName(offer, words)),
            ' ',
            h('span', { class: 'offer-state' }, words[offer.state]),
            h('span', { class: 'offer-note' }, offer.note[language]),
          ),
        );
      }),
    ),
    start,
  );
}

/** Undefined when kubectl is fine; else what is wrong and, where it helps, a button. */
function drawKubectl(
  status: ServerStatus,
  words: ClientStrings,
  wishes: StartWishes,
): HTMLElement | undefined {
  const { kubectl } = status;
  if (kubectl.state === 'found') return undefined;
  const said = h('p', {}, kubectl.note[language]);
  const button = h('button', { type: 'button', class: 'button small' }, words.kubectlFetch);
  const follow = async (status: ServerStatus): Promise<void> => {
    const now = status.kubectl;
    if (now.state === 'fetching') {
      said.textContent = words.kubectlFetching;
      await new Promise(done => setTimeout(done, FETCH_POLL));
      const reach = await reachServer();
      if (reach.kind === 'live') return follow(reach.status);
    }
    if (now.state === 'found') return wishes.again();
    said.textContent = 'note' in now ? now.note[language] : words.serverLost;
    button.disabled = false;
  };
  button.addEventListener('click', () => {
    button.disabled = true;
    said.textContent = words.kubectlFetching;
    fetchKubectl()
      .then(follow)
      .catch((error: unknown) => {
        said.textContent = fill(words.kubectlFetchFailed, {
          reason: error instanceof Error ? error.message : String(error),
        });
        button.disabled = false;
      });
  });
  if (kubectl.state === 'fetching') {
    button.disabled = true;
    void follow(status);
  }
  return h('div', { class: 'notice', role: 'status' }, said, button);
}

function againButton(words: ClientStrings, wishes: StartWishes): HTMLElement {
  return h('button', { type: 'button', class: 'button small', onclick: () => wishes.again() }, words.retry);
}
