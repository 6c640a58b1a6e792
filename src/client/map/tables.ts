// The map's content as plain tables, for screen readers and for whoever prefers columns.

import type { ClusterMap } from '#common/protocol/map.ts';
import type { MapStrings } from '../../strings/map.ts';
import { h } from '../dom.ts';
import { fill } from '../words.ts';
import { bytes, cores, describeCommand, percent } from './amounts.ts';
import type { Filter } from './picture.ts';

type Cell = string | { text: string; command: string | undefined };

export function drawTables(map: ClusterMap, filter: Filter, words: MapStrings): HTMLElement {
  const { columns } = words;
  const inView = (namespace: string) => !filter.namespace || namespace === filter.namespace;
  const pods = map.pods.filter(
    pod => inView(pod.namespace) && (!filter.unready || (pod.state !== 'ready' && pod.state !== 'done')),
  );
  const share = (part: number, whole: number, say: (n: number) => string) =>
    `${fill(words.of, { used: say(part), all: say(whole) })} (${percent(part, whole)}%)`;
  return h(
    'div',
    { class: 'map-tables' },
    table(
      words,
      words.node,
      [columns.name, columns.status, columns.cpu, columns.memory, 'Pod'],
      map.nodes.map(node => [
        { text: node.name, command: describeCommand('node', node.name) },
        `${node.ready ? words.nodeReady : words.nodeNotReady}${node.cordoned ? `, ${words.cordoned}` : ''}`,
        share(node.requested.cpu, node.allocatable.cpu, cores),
        share(node.requested.memory, node.allocatable.memory, bytes),
        fill(words.of, { used: node.pods, all: node.mostPods }),
      ]),
    ),
    table(
      words,
      words.workloads,
      [columns.namespace, columns.kind, columns.name, columns.readiness],
      map.workloads
        .filter(one => inView(one.namespace) && (!filter.unready || one.ready < one.wanted))
        .map(one => [
          one.namespace,
          one.kind,
          { text: one.name, command: describeCommand(one.kind, one.name, one.namespace) },
          `${one.ready}/${one.wanted}`,
        ]),
    ),
    table(
      words,
      'Pod',
      [
        columns.namespace,
        columns.name,
        columns.status,
        columns.readiness,
        columns.restarts,
        columns.node,
        columns.cpu,
        columns.memory,
      ],
      pods.map(pod => [
        pod.namespace,
        { text: pod.name, command: describeCommand('pod', pod.name, pod.namespace) },
        `${pod.status} (${words.states[pod.state]})`,
        `${pod.ready}/${pod.containers}`,
        String(pod.restarts),
        pod.node ?? '–',
        cores(pod.requests.cpu),
        bytes(pod.requests.memory),
      ]),
    ),
    table(
      words,
      words.events,
      [columns.when, columns.reason, columns.about, columns.message],
      map.events
        .filter(event => inView(event.namespace))
        .map(event => [
          new Date(event.at).toLocaleTimeString([], { hour12: false }),
          event.count > 1 ? `${event.reason} ${fill(words.times, { n: event.count })}` : event.reason,
          {
            text: `${event.kind.toLowerCase()}/${event.name}`,
            command: describeCommand(event.kind, event.name, event.kind === 'Node' ? '' : event.namespace),
          },
          event.message,
        ]),
    ),
  );
}

function table(words: MapStrings, caption: string, heads: string[], rows: Cell[][]): HTMLElement {
  return h(
    'div',
    { class: 'map-table', tabindex: '0', role: 'group', 'aria-label': caption },
    h(
      'table',
      {},
      h('caption', {}, caption),
      h('thead', {}, h('tr', {}, ...heads.map(head => h('th', { scope: 'col' }, head)))),
      h(
        'tbody',
        {},
        ...rows.map(row =>
          h(
            'tr',
            {},
            ...row.map(cell =>
              typeof cell === 'string'
                ? h('td', {}, cell)
                : h(
                    'td',
                    {},
                    cell.command
                      ? h(
                          'button',
                          {
                            type: 'button',
                            class: 'map-name',
                            'data-command': cell.command,
                            title: fill(words.type, { command: cell.command }),
                          },
                          cell.text,
                        )
                      : cell.text,
                  ),
            ),
          ),
        ),
      ),
    ),
  );
}
