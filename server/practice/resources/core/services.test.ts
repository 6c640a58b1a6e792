import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../../kube/index.ts';
import { seededRandom } from '../../../random.ts';
import type { HookContext } from '../types.ts';
import { services } from './services.ts';

let seed = 1;

function context(existing: KubeObject[], cidr = '10.96.0.0/12'): HookContext {
  // Another seed each time: what stays the same was kept, not drawn again.
  const random = seededRandom(seed++);
  return {
    now: 0,
    user: { name: 'u', groups: [] },
    randomText: length => 'b'.repeat(length),
    randomUuid: () => random.uuid(),
    read: (_resource, _namespace, name) =>
      name === 'kubernetes'
        ? ({
            apiVersion: 'v1',
            kind: 'ServiceCIDR',
            metadata: { name },
            spec: { cidrs: [cidr] },
          } as KubeObject)
        : undefined,
    listAll: () => existing,
    warn: () => {},
  };
}

let count = 0;
const service = (spec: object): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: `s${count++}`, namespace: 'default' },
  spec: {
    type: 'ClusterIP',
    sessionAffinity: 'None',
    ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
    ...spec,
  },
});

function created(spec: object, existing: KubeObject[] = [], cidr?: string): KubeObject {
  const object = service(spec);
  services.prepareForCreate?.(object, context(existing, cidr));
  return object;
}

function updated(old: KubeObject, spec: object, existing: KubeObject[] = []): KubeObject {
  const next = structuredClone({ ...old, spec: { ...old.spec, ...spec } });
  services.prepareForUpdate?.(next, old, context(existing));
  return next;
}

const said = (object: KubeObject, existing: KubeObject[] = []) =>
  services.validate?.(object, context(existing)).map(finding => `${finding.field}: ${finding.message}`);

test('every service gets an address of its own, even in a tiny range', () => {
  const existing: KubeObject[] = [];
  for (let i = 0; i < 6; i++) existing.push(created({}, existing, '10.0.0.0/29'));
  const ips = existing.map(one => one.spec.clusterIP).sort();
  assert.deepEqual(ips, ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6']);
  assert.equal(created({}, existing, '10.0.0.0/29').spec.clusterIP, undefined, 'a full range gives none');
});

test('headless and external services get no address', () => {
  assert.deepEqual(created({ clusterIP: 'None' }).spec.clusterIPs, ['None']);
  assert.equal(created({ type: 'ExternalName', externalName: 'a.b' }).spec.clusterIP, undefined);
});

test('an address or port that someone holds is refused', () => {
  const first = created({
    type: 'NodePort',
    clusterIP: '10.96.0.10',
    ports: [{ port: 80, protocol: 'TCP', targetPort: 80, nodePort: 30080 }],
  });
  const second = created(
    {
      type: 'NodePort',
      clusterIP: '10.96.0.10',
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80, nodePort: 30080 }],
    },
    [first],
  );
  assert.deepEqual(said(second, [first]), [
    'spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated',
    'spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated',
  ]);
  assert.deepEqual(said(first, [first]), [], 'its own are no conflict');
});

test('an update that leaves out what was allocated keeps it', () => {
  const old = created({ type: 'NodePort' });
  const next = updated(old, {
    clusterIP: undefined,
    clusterIPs: undefined,
    ports: [{ port: 81, protocol: 'TCP', targetPort: 80 }],
  });
  assert.equal(next.spec.clusterIP, old.spec.clusterIP);
  assert.equal(next.spec.ports[0].nodePort, old.spec.ports[0].nodePort);
});

test('going back to ClusterIP gives the node ports up', () => {
  const old = created({});
  const open = updated(old, { type: 'NodePort' });
  assert.ok(open.spec.ports[0].nodePort >= 30000);
  const closed = updated(open, { type: 'ClusterIP' });
  assert.equal(closed.spec.ports[0].nodePort, undefined);
  assert.equal(closed.spec.clusterIP, old.spec.clusterIP);
});

test('an address may not change once set', () => {
  const old = created({});
  const next = updated(old, { clusterIP: '10.96.0.99' });
  assert.deepEqual(
    services.validateUpdate?.(next, old, context([])).map(f => `${f.field}: ${f.message}`),
    ['spec.clusterIPs[0]: Invalid value: ["10.96.0.99"]: may not change once set'],
  );
});
