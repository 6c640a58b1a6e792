import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StatusError } from '../../kube/index.ts';
import { testRegistry } from './testing.ts';

const FLOW = { group: 'flowcontrol.apiserver.k8s.io', version: 'v1' };
const MAPS = { group: '', version: 'v1', resource: 'configmaps', namespace: 'default' };
const node = { name: 'system:node:minikube', groups: ['system:nodes', 'system:authenticated'] };

async function braked(shares: number, namespaces = ['default']) {
  const registry = testRegistry();
  await registry.create(
    { ...FLOW, resource: 'prioritylevelconfigurations' },
    {
      apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
      kind: 'PriorityLevelConfiguration',
      metadata: { name: 'brake' },
      spec: {
        type: 'Limited',
        limited: {
          nominalConcurrencyShares: shares,
          borrowingLimitPercent: 0,
          limitResponse: { type: 'Reject' },
        },
      },
    },
  );
  await registry.create(
    { ...FLOW, resource: 'flowschemas' },
    {
      apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
      kind: 'FlowSchema',
      metadata: { name: 'brake' },
      spec: {
        matchingPrecedence: 450,
        priorityLevelConfiguration: { name: 'brake' },
        rules: [
          {
            subjects: [{ kind: 'Group', group: { name: 'system:nodes' } }],
            resourceRules: [{ verbs: ['list'], apiGroups: [''], resources: ['configmaps'], namespaces }],
          },
        ],
      },
    },
  );
  const list = (user = node) => registry.registry.list(registry.context({ user }), MAPS, {});
  return { registry, list };
}

const tooMany = (error: unknown) => error instanceof StatusError && error.code === 429;

test('a request whose level has no seats is refused', async () => {
  const { list } = await braked(0);
  await assert.rejects(list(), tooMany);
});

test('others, other namespaces and levels with seats are let through', async () => {
  const { list } = await braked(0);
  await list({ name: 'jane', groups: ['system:authenticated'] });
  await (await braked(0, ['other'])).list();
  await (await braked(5)).list();
});

test('the refusal ends with the flow schema', async () => {
  const { registry, list } = await braked(0);
  const path = { ...FLOW, resource: 'flowschemas', name: 'brake' };
  await registry.registry.delete(registry.context(), path, {});
  await list();
});
