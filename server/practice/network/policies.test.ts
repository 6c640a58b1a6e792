// What NetworkPolicies let through: isolation by direction, peers, address ranges, ports by number, range and name.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ApiClient, KubeObject, WatchEvent } from '../../kube/index.ts';
import { NetworkPolicies } from './index.ts';

const WEB = '10.244.0.2';
const SHOP = '10.244.0.3';
const OTHER = '10.244.0.4';

const object = (kind: string, name: string, namespace: string | undefined, labels: object, rest: object) =>
  ({
    apiVersion: 'v1',
    kind,
    metadata: { name, ...(namespace ? { namespace } : {}), labels },
    ...rest,
  }) as KubeObject;
const pod = (name: string, namespace: string, podIP: string, ports: object[] = []) =>
  object(
    'Pod',
    name,
    namespace,
    { app: name },
    { spec: { containers: [{ ports }] }, status: { podIP, phase: 'Running' } },
  );

/** A web server and a shop in namespace `a`, somebody else in `b` (labelled team=b). */
function policies(...specs: [namespace: string, spec: object][]) {
  const objects: Record<string, KubeObject[]> = {
    pods: [
      pod('web', 'a', WEB, [{ name: 'http', containerPort: 80 }]),
      pod('shop', 'a', SHOP),
      pod('other', 'b', OTHER),
    ],
    namespaces: [
      object('Namespace', 'a', undefined, {}, {}),
      object('Namespace', 'b', undefined, { team: 'b' }, {}),
    ],
    networkpolicies: specs.map(([namespace, spec], index) =>
      object('NetworkPolicy', `p${index}`, namespace, {}, { spec }),
    ),
  };
  const watch: ApiClient['watch'] = ({ resource }, _options, onEvent: (event: WatchEvent) => void) => {
    for (const each of objects[resource] ?? []) onEvent({ type: 'ADDED', object: each });
    return { stop() {} };
  };
  const book = new NetworkPolicies();
  book.start({ watch } as ApiClient);
  return book;
}
const toWeb = { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Ingress'] };

describe('network policies', () => {
  it('let everything through where none selects', () => {
    const book = policies(['b', { podSelector: {}, policyTypes: ['Ingress'] }]);
    assert.equal(book.allows(OTHER, WEB, 80), true);
  });

  it('isolate what they select and nothing else', () => {
    const book = policies(['a', toWeb]);
    assert.equal(book.allows(SHOP, WEB, 80), false);
    assert.equal(book.allows(WEB, SHOP, 80), true);
  });

  it('never come between a pod and its own node', () => {
    const book = policies(['a', toWeb]);
    assert.equal(book.allows(undefined, WEB, 80), true);
    assert.equal(book.allows('192.168.49.2', WEB, 80), true);
  });

  it('let in pods of the same namespace by their labels', () => {
    const book = policies([
      'a',
      { ...toWeb, ingress: [{ from: [{ podSelector: { matchLabels: { app: 'shop' } } }] }] },
    ]);
    assert.equal(book.allows(SHOP, WEB, 80), true);
    assert.equal(book.allows(OTHER, WEB, 80), false);
  });

  it('let in a namespace by its labels, and only those pods of it when both are named', () => {
    const peer = { namespaceSelector: { matchLabels: { team: 'b' } } };
    const all = policies(['a', { ...toWeb, ingress: [{ from: [peer] }] }]);
    assert.equal(all.allows(OTHER, WEB, 80), true);
    assert.equal(all.allows(SHOP, WEB, 80), false);
    const both = { ...peer, podSelector: { matchLabels: { app: 'nobody' } } };
    const some = policies(['a', { ...toWeb, ingress: [{ from: [both] }] }]);
    assert.equal(some.allows(OTHER, WEB, 80), false);
  });

  it('add up: what one allows another cannot take away', () => {
    const book = policies(['a', toWeb], ['a', { ...toWeb, ingress: [{}] }]);
    assert.equal(book.allows(OTHER, WEB, 80), true);
  });

  it('let through ports by number, range and name', () => {
    const only = (...ports: object[]) => policies(['a', { ...toWeb, ingress: [{ ports }] }]);
    assert.equal(only({ port: 80 }).allows(SHOP, WEB, 80), true);
    assert.equal(only({ port: 80 }).allows(SHOP, WEB, 81), false);
    assert.equal(only({ port: 80, endPort: 90 }).allows(SHOP, WEB, 90), true);
    assert.equal(only({ port: 'http' }).allows(SHOP, WEB, 80), true);
    assert.equal(only({ port: 'https' }).allows(SHOP, WEB, 80), false);
    assert.equal(only({ port: 80, protocol: 'UDP' }).allows(SHOP, WEB, 80), false);
  });

  it('hold what a pod sends, to pods and to the world by ranges with exceptions', () => {
    const fromShop = { podSelector: { matchLabels: { app: 'shop' } }, policyTypes: ['Egress'] };
    const none = policies(['a', fromShop]);
    assert.equal(none.allows(SHOP, WEB, 80), false);
    assert.equal(none.allows(SHOP, '1.1.1.1', 443), false);
    const block = { ipBlock: { cidr: '10.0.0.0/8', except: ['10.244.0.4/32'] } };
    const some = policies(['a', { ...fromShop, egress: [{ to: [block] }] }]);
    assert.equal(some.allows(SHOP, WEB, 80), true);
    assert.equal(some.allows(SHOP, OTHER, 80), false);
    assert.equal(some.allows(SHOP, '1.1.1.1', 443), false);
  });
});
