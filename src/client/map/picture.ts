// The map as a picture: one card a node with its bars, the pods that wait, every namespace with its workloads, and the events.
// All that can be clicked is a button that says which command it types.

import type { Amount, ClusterMap, MapEvent, MapNode, MapPod } from '#common/protocol/map.ts';
import type { MapStrings } from '../../strings/map.ts';
import { h } from '../dom.ts';
import { fill } from '../words.ts';
import { bytes, cores, describeCommand, describeEvent, percent } from './amounts.ts';
import { keep, type Thing } from './keyed.ts';

export interface Filter {
  /** '' for all. */
  namespace: string;
  unready: boolean;
}

/** Events on the picture; the rest is in the table. */
const MOST_EVENTS = 25;
/** A bar this full has no room for everyday pods, in percent. */
const NEARLY_FULL = 90;

const SIGNS: Record<MapPod['state'], string> = {
  ready: '●',
  starting: '◐',
  waiting: '○',
  trouble: '▲',
  done: '✓',
  ending: '✕',
};

export class Picture {
  readonly element: HTMLElement;
  #words: MapStrings;
  #nodes = h('div', { class: 'map-nodes' });
  #waitingHead = h('h3');
  #waiting = h('ul', { class: 'map-waiting' });
  #spaces = h('div', { class: 'map-spaces' });
  #events = h('ol', { class: 'map-events' });
  #noEvents: HTMLElement;

  constructor(words: MapStrings) {
    this.#words = words;
    this.#noEvents = h('p', { class: 'map-none' }, words.noEvents);
    this.element = h(
      'div',
      { class: 'map-picture' },
      this.#nodes,
      h('section', {}, this.#waitingHead, this.#waiting),
      h('section', {}, h('h3', {}, words.workloads), this.#spaces),
      h('section', {}, h('h3', {}, words.events), this.#noEvents, this.#events),
    );
  }

  draw(map: ClusterMap, filter: Filter): void {
    const words = this.#words;
    const inView = (namespace: string) => !filter.namespace || namespace === filter.namespace;
    const waiting = map.pods.filter(pod => pod.state === 'waiting');
    keep(
      this.#nodes,
      map.nodes.map(node => ({
        key: node.name,
        shape: [
          node,
          map.pods.filter(pod => pod.node === node.name).map(pod => [pod.name, pod.requests, pod.state]),
          filter.namespace,
          waiting.length,
        ],
        draw: () => this.#node(node, map.pods, filter, waiting),
      })),
    );
    const shown = waiting.filter(pod => inView(pod.namespace));
    this.#waitingHead.textContent = fill(words.waiting, { n: shown.length });
    this.#waitingHead.parentElement!.hidden = shown.length === 0;
    keep(
      this.#waiting,
      shown.map(pod => ({
        key: `${pod.namespace}/${pod.name}`,
        shape: [pod, map.nodes.map(node => [node.allocatable, node.requested])],
        draw: () => this.#waits(pod, map.nodes),
      })),
    );
    const spaces = map.namespaces.filter(inView).flatMap((namespace): Thing[] => {
      const pods = map.pods.filter(pod => pod.namespace === namespace);
      const rows = workloadsOf(namespace, pods, map).filter(
        row =>
          !filter.unready ||
          row.ready < row.wanted ||
          row.pods.some(pod => pod.state !== 'ready' && pod.state !== 'done'),
      );
      if (rows.length === 0) return [];
      return [{ key: namespace, shape: rows, draw: () => this.#space(namespace, rows) }];
    });
    if (spaces.length === 0)
      spaces.push({
        key: ' none',
        shape: filter.unready,
        draw: () => h('p', { class: 'map-none' }, filter.unready ? words.allGood : words.nothing),
      });
    keep(this.#spaces, spaces);
    const events = map.events.filter(event => inView(event.namespace)).slice(0, MOST_EVENTS);
    this.#noEvents.hidden = events.length > 0;
    keep(
      this.#events,
      events.map(event => ({
        key: `${event.namespace}/${event.kind}/${event.name}/${event.reason}/${event.message}`,
        shape: event,
        draw: () => this.#event(event),
      })),
    );
  }

  #button(
    command: string | undefined,
    act: string,
    className: string,
    ...children: (Node | string | false)[]
  ): HTMLElement {
    if (!command) return h('span', { class: className }, ...children);
    return h(
      'button',
      {
        type: 'button',
        class: className,
        'data-command': command,
        'data-act': act,
        title: fill(this.#words.type, { command }),
      },
      ...children,
    );
  }

  #node(node: MapNode, pods: readonly MapPod[], filter: Filter, waiting: readonly MapPod[]): HTMLElement {
    const words = this.#words;
    const own = pods.filter(pod => pod.node === node.name && pod.state !== 'done');
    const left = leftOn(node);
    return h(
      'section',
      { class: 'map-node', 'data-ready': node.ready },
      h(
        'p',
        { class: 'map-node-head' },
        this.#button(describeCommand('node', node.name), 'node', 'map-name', node.name),
        h(
          'span',
          {},
          `${node.ready ? `● ${words.nodeReady}` : `▲ ${words.nodeNotReady}`}${node.cordoned ? ` · ${words.cordoned}` : ''} · ${node.version}`,
        ),
        h('span', {}, fill(words.pods, { n: node.pods, most: node.mostPods })),
      ),
      this.#bar('cpu', node, own, filter, waiting),
      this.#bar('memory', node, own, filter, waiting),
      h(
        'p',
        { class: 'map-left' },
        fill(words.free, { cpu: cores(Math.max(0, left.cpu)), memory: bytes(Math.max(0, left.memory)) }),
      ),
    );
  }

  #bar(
    what: keyof Amount,
    node: MapNode,
    pods: readonly MapPod[],
    filter: Filter,
    waiting: readonly MapPod[],
  ): HTMLElement {
    const words = this.#words;
    const say = what === 'cpu' ? cores : bytes;
    const all = node.allocatable[what];
    const used = node.requested[what];
    const share = percent(used, all);
    const left = all - used;
    // Full is not a figure but a fact: something waits for exactly this.
    const full = share >= NEARLY_FULL || waiting.some(pod => pod.requests[what] > left);
    const parts = pods
      .filter(pod => pod.requests[what] > 0)
      .toSorted((a, b) => a.namespace.localeCompare(b.namespace) || b.requests[what] - a.requests[what]);
    const bar = h(
      'div',
      {
        class: 'map-bar-track',
        role: 'img',
        'aria-label': fill(words.bar, { what: words[what], used: say(used), all: say(all), percent: share }),
      },
      ...parts.map(pod => {
        const part = h('span', {
          title: `${pod.namespace}/${pod.name} ${say(pod.requests[what])}`,
          'data-dim': filter.namespace !== '' && pod.namespace !== filter.namespace,
        });
        part.style.width = `${(100 * pod.requests[what]) / Math.max(all, used, 1)}%`;
        return part;
      }),
    );
    return h(
      'div',
      { class: 'map-meter', 'data-full': full },
      h('span', { class: 'map-meter-name' }, words[what]),
      bar,
      h(
        'span',
        { class: 'map-meter-sum' },
        `${fill(words.of, { used: say(used), all: say(all) })} `,
        h('strong', {}, `${share}%`),
      ),
    );
  }

  #waits(pod: MapPod, nodes: readonly MapNode[]): HTMLElement {
    const words = this.#words;
    const short = nodes.map(node => {
      const left = leftOn(node);
      return { cpu: pod.requests.cpu > left.cpu, memory: pod.requests.memory > left.memory };
    });
    const fits = short.some(one => !one.cpu && !one.memory);
    const cpu = short.every(one => one.cpu);
    const memory = short.every(one => one.memory);
    const lacks = fits
      ? words.fits
      : words.lacks[cpu && memory ? 'both' : cpu ? 'cpu' : memory ? 'memory' : 'either'];
    return h(
      'li',
      {},
      this.#button(
        describeCommand('pod', pod.name, pod.namespace),
        pod.name,
        'map-pod',
        h('span', { class: 'map-sign', 'data-state': 'waiting', 'aria-hidden': 'true' }, SIGNS.waiting),
        h('span', { class: 'map-name' }, pod.name),
        h(
          'span',
          { class: 'map-asks' },
          fill(words.asks, { cpu: cores(pod.requests.cpu), memory: bytes(pod.requests.memory) }),
        ),
        h('span', { class: 'map-lacks', 'data-fits': fits }, lacks),
      ),
    );
  }

  #space(namespace: string, rows: WorkloadRow[]): HTMLElement {
    const words = this.#words;
    const ready = rows.filter(
      row => row.ready >= row.wanted && row.pods.every(pod => pod.state === 'ready' || pod.state === 'done'),
    ).length;
    return h(
      'section',
      { class: 'map-space' },
      h(
        'h4',
        {},
        this.#button(describeCommand('namespace', namespace), 'space', 'map-name', namespace),
        ' ',
        h('small', {}, fill(words.ready, { ready, wanted: rows.length })),
      ),
      h(
        'ul',
        {},
        ...rows.map(row =>
          h(
            'li',
            { class: 'map-work' },
            this.#button(
              (row.kind && describeCommand(row.kind, row.name, namespace)) || undefined,
              `${row.kind}/${row.name}`,
              'map-work-name',
              row.name || words.bare,
              ' ',
              h('small', {}, row.kind ? `${row.kind} ${row.ready}/${row.wanted}` : ''),
            ),
            h(
              'span',
              { class: 'map-pods' },
              ...row.pods.map(pod => {
                const button = this.#button(
                  describeCommand('pod', pod.name, pod.namespace),
                  pod.name,
                  'map-dot',
                  h(
                    'span',
                    { class: 'map-sign', 'data-state': pod.state, 'aria-hidden': 'true' },
                    SIGNS[pod.state],
                  ),
                  h('span', { class: pod.state === 'ready' ? 'sr-only' : 'map-status' }, `${pod.status} `),
                  h('span', { class: 'sr-only' }, `${pod.name} ${words.states[pod.state]}`),
                );
                button.title = `${pod.name}\n${pod.status} ${pod.ready}/${pod.containers}\n${button.title}`;
                return button;
              }),
            ),
          ),
        ),
      ),
    );
  }

  #event(event: MapEvent): HTMLElement {
    return h(
      'li',
      { 'data-type': event.type },
      h('time', { datetime: event.at }, clockOf(event.at)),
      ' ',
      h('strong', {}, `${event.type === 'Warning' ? '▲ ' : ''}${event.reason}`),
      ' ',
      this.#button(describeEvent(event), 'about', 'map-name', `${event.kind.toLowerCase()}/${event.name}`),
      event.count > 1 && ` ${fill(this.#words.times, { n: event.count })}`,
      h('span', { class: 'map-message' }, event.message),
    );
  }
}

interface WorkloadRow {
  kind: string;
  name: string;
  ready: number;
  wanted: number;
  pods: MapPod[];
}

/** The namespace's workloads with their pods; pods that nothing known owns come last. */
function workloadsOf(namespace: string, pods: readonly MapPod[], map: ClusterMap): WorkloadRow[] {
  const rows = map.workloads
    .filter(workload => workload.namespace === namespace)
    .map(workload => ({
      ...workload,
      pods: pods.filter(pod => pod.owner === `${workload.kind}/${workload.name}`),
    }));
  const owned = new Set(rows.flatMap(row => row.pods));
  const bare = pods.filter(pod => !owned.has(pod));
  if (bare.length > 0) {
    const ready = bare.filter(pod => pod.state === 'ready' || pod.state === 'done').length;
    rows.push({ namespace, kind: '', name: '', ready, wanted: bare.length, pods: bare });
  }
  return rows;
}

function leftOn(node: MapNode): Amount {
  return {
    cpu: node.allocatable.cpu - node.requested.cpu,
    memory: node.allocatable.memory - node.requested.memory,
  };
}

function clockOf(at: string): string {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? '' : time.toLocaleTimeString([], { hour12: false });
}
