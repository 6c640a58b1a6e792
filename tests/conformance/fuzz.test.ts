// Some thousand seeded requests that nobody should send: the server answers each with a proper Status, or closes, and stays.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../server/random.ts';
import { api } from '../support/api.ts';
import { sharedCluster } from '../support/practice.ts';

const cluster = sharedCluster({ controlPlaneOnly: true });
/** Another seed, or more requests, for a longer look: FUZZ_SEED=7 FUZZ_REQUESTS=20000. */
const random = seededRandom(Number(process.env.FUZZ_SEED ?? 20261124));
const REQUESTS = Number(process.env.FUZZ_REQUESTS ?? 2500);
const AT_ONCE = 16;
/** What a leak of a few KB a request would exceed, bytes. */
const MAX_GROWTH = 120 * 1024 * 1024;

const pick = <Item>(items: readonly Item[]): Item => items[random.below(items.length)] as Item;

const SEGMENTS = [
  'api',
  'apis',
  'v1',
  'apps',
  'namespaces',
  'default',
  'kube-system',
  'pods',
  'configmaps',
  'deployments',
  'secrets',
  'services',
  'customresourcedefinitions',
  'apiextensions.k8s.io',
  'status',
  'scale',
  'log',
  'exec',
  'proxy',
  'eviction',
  'token',
  'watch',
  'openapi',
  'v3',
  '..',
  '%00',
  '%2e%2e',
  '%zz',
  'x'.repeat(300),
  '💥',
  '',
];
const PARAMETERS = [
  'limit=-1',
  'limit=9999999999999999999',
  'continue=AAAA',
  'continue=%F0%9F',
  'resourceVersion=abc',
  'resourceVersion=999999999',
  'resourceVersionMatch=Exact',
  'labelSelector=a%20in%20(',
  'labelSelector=!!!',
  'fieldSelector=a%3Db%3Dc%2C',
  'fieldManager=%01',
  'dryRun=All',
  'dryRun=x',
  'fieldValidation=Strict',
  'fieldValidation=Never',
  'timeoutSeconds=0',
  'gracePeriodSeconds=-5',
  'propagationPolicy=Sideways',
  'force=true',
  'pretty=1',
  'includeObject=Everything',
];
const PATHS = [
  '/api/v1/namespaces/default/configmaps',
  '/api/v1/namespaces/default/configmaps/fuzz',
  '/api/v1/namespaces/default/pods',
  '/api/v1/namespaces/default/services',
  '/api/v1/namespaces/default/secrets/fuzz',
  '/apis/apps/v1/namespaces/default/deployments',
  '/apis/apps/v1/namespaces/default/deployments/fuzz',
  '/apis/apps/v1/namespaces/default/deployments/fuzz/scale',
  '/apis/batch/v1/namespaces/default/cronjobs',
  '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
  '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
];
const TYPES = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
  'text/plain',
  '',
];
const ACCEPTS = [
  'application/json',
  '*/*',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/yaml',
  'text/html',
  ';;,q=',
];

function path(): string {
  const base =
    random.below(3) > 0
      ? pick(PATHS)
      : `/${Array.from({ length: random.below(8) }, () => pick(SEGMENTS)).join('/')}`;
  const query = Array.from({ length: random.below(3) }, () => pick(PARAMETERS)).join('&');
  return query ? `${base}?${query}` : base;
}

/** A value of any JSON type, of bounded depth. */
function value(depth = 0): unknown {
  const kind = random.below(depth > 5 ? 6 : 8);
  if (kind === 0) return null;
  if (kind === 1) return random.below(2) === 0;
  if (kind === 2) return pick([0, -1, 1.5, 1e308, 2 ** 53, 99999]);
  if (kind < 6)
    return pick(['', 'fuzz', '1', 'a'.repeat(300), '💥', '../..', '{{', 'true', '0Ki', '50%', '__proto__']);
  if (kind === 6) return Array.from({ length: random.below(4) }, () => value(depth + 1));
  return Object.fromEntries(Array.from({ length: random.below(4) }, () => [key(), value(depth + 1)]));
}

const key = () =>
  pick([
    'metadata',
    'name',
    'namespace',
    'labels',
    'annotations',
    'finalizers',
    'ownerReferences',
    'managedFields',
    'spec',
    'status',
    'data',
    'containers',
    'template',
    'selector',
    'matchLabels',
    'replicas',
    'ports',
    'rules',
    'versions',
    'schema',
    'openAPIV3Schema',
    'properties',
    '$patch',
    '$retainKeys',
    '$setElementOrder/containers',
    '__proto__',
    'constructor',
    '',
  ]);

function object(): unknown {
  const base = {
    apiVersion: pick(['v1', 'apps/v1', 'nope/v9', '', 5]),
    kind: pick(['ConfigMap', 'Pod', 'Deployment', 'CustomResourceDefinition', 'Status', '', null]),
    metadata: random.below(4) === 0 ? value() : { name: 'fuzz', namespace: 'default' },
    spec: value(),
  };
  return random.below(5) === 0 ? value() : base;
}

function operations(): unknown {
  return Array.from({ length: random.below(4) }, () => ({
    op: pick(['add', 'remove', 'replace', 'move', 'copy', 'test', 'explode', undefined]),
    path: pick([
      '/data/a',
      '/metadata/name',
      '/spec/template',
      '',
      '/~2',
      'x',
      '/metadata/finalizers/-',
      '/__proto__/x',
      5,
    ]),
    from: pick(['/data', '/metadata', '', undefined]),
    value: value(),
  }));
}

function body(): string | Buffer {
  switch (random.below(7)) {
    case 0:
      return Buffer.from(Array.from({ length: random.below(60) }, () => random.below(256)));
    case 1:
      return Buffer.concat([
        Buffer.from([0x6b, 0x38, 0x73, 0]),
        Buffer.from(Array.from({ length: random.below(80) }, () => random.below(256))),
      ]);
    case 2:
      return JSON.stringify(operations());
    case 3: {
      const text = JSON.stringify(object()) ?? '';
      return text.slice(0, random.below(text.length + 1));
    }
    case 4:
      return pick([
        '- a\n- b: [',
        'a: &x *x',
        '%YAML 9',
        '? :',
        '{a: b, a: c}',
        '\t',
        '--- 1\n--- 2',
        'a: !!binary x',
      ]);
    default:
      return JSON.stringify(object()) ?? '';
  }
}

interface Shot {
  method: string;
  target: string;
  type: string;
  accept: string;
  content: string | Buffer | undefined;
}

/** Wrong in every way at once. */
function nonsense(): Shot {
  const method = pick(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
  const content = method === 'GET' || method === 'OPTIONS' ? undefined : body();
  return { method, target: path(), type: pick(TYPES), accept: pick(ACCEPTS), content };
}

/** Well-formed on the outside, so that the value inside reaches decoding, patching, validation and storage. */
function nearlyRight(): Shot {
  const target = pick(PATHS);
  const named = /\/(fuzz|scale)$/.test(target);
  const method = named
    ? pick(['PUT', 'PATCH', 'PATCH', 'PATCH', 'GET', 'DELETE'])
    : pick(['POST', 'POST', 'POST', 'GET']);
  const accept = 'application/json';
  if (method === 'GET') return { method, target, type: '', accept, content: undefined };
  const type = method === 'PATCH' ? pick(TYPES.slice(3, 7)) : 'application/json';
  const inner =
    type === 'application/json-patch+json' ? operations() : method === 'DELETE' ? value() : manifest(target);
  return { method, target, type, accept, content: JSON.stringify(inner) ?? '{}' };
}

/** An object of the kind that lives at `target`, with one part of it replaced by anything. */
function manifest(target: string): unknown {
  const pod = {
    containers: [{ name: 'c', image: 'x', ports: [{ containerPort: 80 }], env: [{ name: 'A', value: 'b' }] }],
  };
  const template = { metadata: { labels: { a: 'b' } }, spec: pod };
  const bodies: [RegExp, object][] = [
    [/configmaps/, { data: { a: '1' } }],
    [/pods/, { spec: pod }],
    [/services/, { spec: { ports: [{ port: 80 }], selector: { a: 'b' } } }],
    [/secrets/, { data: { a: 'eA==' }, type: 'Opaque' }],
    [/scale/, { spec: { replicas: 1 } }],
    [/deployments/, { spec: { replicas: 1, selector: { matchLabels: { a: 'b' } }, template } }],
    [
      /cronjobs/,
      {
        spec: {
          schedule: '* * * * *',
          jobTemplate: { spec: { template: { spec: { ...pod, restartPolicy: 'Never' } } } },
        },
      },
    ],
    [/clusterroles/, { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] }],
    [
      /customresourcedefinitions/,
      {
        spec: {
          group: 'fuzz.example.com',
          scope: 'Namespaced',
          names: { plural: 'fuzzes', singular: 'fuzz', kind: 'Fuzz' },
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object' } } } },
            },
          ],
        },
      },
    ],
    [
      /validatingwebhook/,
      {
        webhooks: [
          {
            name: 'a.b.c',
            clientConfig: { url: 'https://x' },
            sideEffects: 'None',
            admissionReviewVersions: ['v1'],
          },
        ],
      },
    ],
    [/selfsubjectaccess/, { spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } }],
  ];
  const name = target.includes('customresource') ? 'fuzzes.fuzz.example.com' : 'fuzz';
  const whole = { metadata: { name }, ...bodies.find(([pattern]) => pattern.test(target))?.[1] };
  return spoil(whole) as object;
}

/** Replaces, adds or removes one member somewhere inside. */
function spoil(node: unknown): unknown {
  if (node === null || typeof node !== 'object' || random.below(6) === 0) return value();
  if (Array.isArray(node)) {
    const at = random.below(node.length + 1);
    return at === node.length
      ? [...node, value()]
      : node.map((item, index) => (index === at ? spoil(item) : item));
  }
  const entries = Object.entries(node);
  const at = random.below(entries.length + 2);
  if (at >= entries.length) return { ...node, [key()]: value() };
  return Object.fromEntries(entries.map(([name, item], index) => [name, index === at ? spoil(item) : item]));
}

test('seeded nonsense never gets an InternalError, a crash or our memory', async () => {
  const { url, kubeconfig } = await cluster();
  const before = process.memoryUsage();
  const bugs = new Map<string, string>();
  let sent = 0;
  const worker = async () => {
    while (sent++ < REQUESTS) {
      const { method, target, type, content, accept } = random.below(4) === 0 ? nonsense() : nearlyRight();
      const headers = { accept, ...(type ? { 'content-type': type } : {}) };
      const answer = await api(kubeconfig, url, target, {
        method,
        headers,
        ...(content === undefined ? {} : { body: content }),
      });
      if (answer.status >= 500) {
        const message = (answer.json as { message?: string })?.message ?? answer.text.slice(0, 200);
        if (!bugs.has(message))
          bugs.set(message, `${method} ${target} ${type} ${String(content).slice(0, 400)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  // 504: a resourceVersion of the future, in upstream's words.
  for (const message of bugs.keys())
    if (/Too large resource version|Timeout/.test(message)) bugs.delete(message);
  assert.deepEqual([...bugs], []);
  assert.equal((await api(kubeconfig, url, '/healthz')).text, 'ok');
  const grown = process.memoryUsage().heapUsed - before.heapUsed;
  assert.ok(grown < MAX_GROWTH, `the heap grew by ${Math.round(grown / 1e6)} MB`);
});
