// The priority levels and flow schemas a new cluster has: names, seats and order as the recording shows them, rules as
// kube-apiserver's own defaults give them.

import type { KubeObject } from '../kube/index.ts';

interface Level {
  shares?: number;
  queues?: [queues: number, handSize: number, queueLengthLimit: number];
}

/** Priority levels by name; without shares it is the exempt one. */
const LEVELS: Readonly<Record<string, Level>> = {
  'catch-all': { shares: 5 },
  exempt: {},
  'global-default': { shares: 20, queues: [128, 6, 50] },
  'leader-election': { shares: 10, queues: [16, 4, 50] },
  'node-high': { shares: 40, queues: [64, 6, 50] },
  system: { shares: 30, queues: [64, 6, 50] },
  'workload-high': { shares: 40, queues: [128, 6, 50] },
  'workload-low': { shares: 100, queues: [128, 6, 50] },
};

type Part = Record<string, unknown>;

const user = (name: string): Part => ({ kind: 'User', user: { name } });
const group = (name: string): Part => ({ kind: 'Group', group: { name } });
const KUBE_SYSTEM_ACCOUNTS: Part = {
  kind: 'ServiceAccount',
  serviceAccount: { name: '*', namespace: 'kube-system' },
};
const EVERYONE = [group('system:unauthenticated'), group('system:authenticated')];

function resource(verbs: string[], apiGroups: string[], resources: string[], clusterScope: boolean): Part {
  return { verbs, apiGroups, resources, namespaces: ['*'], ...(clusterScope ? { clusterScope } : {}) };
}

const EVERY_RESOURCE = resource(['*'], ['*'], ['*'], true);
const EVERY_URL: Part = { verbs: ['*'], nonResourceURLs: ['*'] };
const all = (...subjects: Part[]): Part => ({
  subjects,
  resourceRules: [EVERY_RESOURCE],
  nonResourceRules: [EVERY_URL],
});

/** Flow schemas: name, level, precedence, how flows are told apart, whom and what they cover. */
const FLOWS: readonly [string, string, number, string | undefined, Part][] = [
  ['exempt', 'exempt', 1, undefined, all(group('system:masters'))],
  [
    'probes',
    'exempt',
    2,
    undefined,
    {
      subjects: EVERYONE,
      nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
    },
  ],
  [
    'system-leader-election',
    'leader-election',
    100,
    'ByUser',
    {
      subjects: [user('system:kube-controller-manager'), user('system:kube-scheduler'), KUBE_SYSTEM_ACCOUNTS],
      resourceRules: [resource(['get', 'create', 'update'], ['coordination.k8s.io'], ['leases'], false)],
    },
  ],
  [
    'system-node-high',
    'node-high',
    400,
    'ByUser',
    {
      subjects: [group('system:nodes')],
      resourceRules: [
        resource(['*'], [''], ['nodes', 'nodes/status'], true),
        resource(['*'], ['coordination.k8s.io'], ['leases'], false),
      ],
    },
  ],
  ['system-nodes', 'system', 500, 'ByUser', all(group('system:nodes'))],
  [
    'kube-controller-manager',
    'workload-high',
    800,
    'ByNamespace',
    all(user('system:kube-controller-manager')),
  ],
  ['kube-scheduler', 'workload-high', 800, 'ByNamespace', all(user('system:kube-scheduler'))],
  ['kube-system-service-accounts', 'workload-high', 900, 'ByNamespace', all(KUBE_SYSTEM_ACCOUNTS)],
  ['service-accounts', 'workload-low', 9000, 'ByUser', all(group('system:serviceaccounts'))],
  ['global-default', 'global-default', 9900, 'ByUser', all(...EVERYONE)],
  ['catch-all', 'catch-all', 10000, 'ByUser', all(...EVERYONE)],
];

/** Levels first, then the schemas that name them. */
export function bootstrapFlowControl(): KubeObject[] {
  const apiVersion = 'flowcontrol.apiserver.k8s.io/v1';
  const annotations = { 'apf.kubernetes.io/autoupdate-spec': 'true' };
  const levels = Object.entries(LEVELS).map(
    ([name, { shares, queues }]): KubeObject => ({
      apiVersion,
      kind: 'PriorityLevelConfiguration',
      metadata: { name, annotations, generation: 1 },
      spec:
        shares === undefined
          ? { exempt: { lendablePercent: 0, nominalConcurrencyShares: 0 }, type: 'Exempt' }
          : {
              limited: {
                lendablePercent: 0,
                limitResponse: queues
                  ? {
                      queuing: { handSize: queues[1], queueLengthLimit: queues[2], queues: queues[0] },
                      type: 'Queue',
                    }
                  : { type: 'Reject' },
                nominalConcurrencyShares: shares,
              },
              type: 'Limited',
            },
      status: {},
    }),
  );
  const flows = FLOWS.map(
    ([name, level, matchingPrecedence, by, rule]): KubeObject => ({
      apiVersion,
      kind: 'FlowSchema',
      metadata: { name, annotations, generation: 1 },
      spec: {
        ...(by ? { distinguisherMethod: { type: by } } : {}),
        matchingPrecedence,
        priorityLevelConfiguration: { name: level },
        rules: [rule],
      },
      status: { conditions: [{ type: 'Dangling', status: 'False', reason: 'Found' }] },
    }),
  );
  return [...levels, ...flows];
}
