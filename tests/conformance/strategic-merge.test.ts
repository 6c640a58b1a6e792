// Our strategic merge and kubectl's own (`patch --local`) agree on real kinds and on patches made at random.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { strategicMergePatch } from '../../server/kube/patch/index.ts';
import { decode, schemaFor } from '../../server/practice/schema/index.ts';
import { seededRandom } from '../../server/random.ts';

const kubectl = spawnSync('kubectl', ['version', '--client'], { encoding: 'utf8' }).status === 0;
const skip = kubectl ? false : 'no kubectl on the PATH';
const folder = mkdtempSync(join(tmpdir(), 'strategic-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const SEED = 20261123;
const ROUNDS = 12;

const schema = schemaFor({ group: 'apps', version: 'v1', kind: 'Deployment' });

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'web',
    labels: { app: 'web', tier: 'a' },
    finalizers: ['example.com/a', 'example.com/b'],
  },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [
          {
            name: 'one',
            image: 'nginx:1',
            args: ['a', 'b'],
            env: [
              { name: 'A', value: '1' },
              { name: 'B', value: '2' },
            ],
            ports: [{ containerPort: 80 }, { containerPort: 81, name: 'x' }],
          },
          { name: 'two', image: 'busybox' },
        ],
        volumes: [
          { name: 'v', configMap: { name: 'c' } },
          { name: 'w', emptyDir: {} },
        ],
        tolerations: [{ key: 'k', operator: 'Exists' }],
      },
    },
  },
};

function byKubectl(patch: unknown): unknown {
  const file = join(folder, 'object.json');
  writeFileSync(file, JSON.stringify(deployment));
  const out = execFileSync(
    'kubectl',
    ['patch', '--local', '-f', file, '--type', 'strategic', '-p', JSON.stringify(patch), '-o', 'json'],
    {
      encoding: 'utf8',
      env: { ...process.env, KUBECONFIG: '/dev/null' },
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 20_000,
    },
  );
  return JSON.parse(out);
}

const canonical = (value: unknown) => decode(value, schema!, { kind: 'Deployment', version: 'v1' }).value;

function agree(patch: unknown): void {
  assert.deepEqual(
    canonical(strategicMergePatch(deployment, patch, schema!)),
    canonical(byKubectl(patch)),
    JSON.stringify(patch),
  );
}

const inPod = (spec: object) => ({ spec: { template: { spec } } });

test('directives do what they do in kubectl', { skip }, () => {
  agree(
    inPod({
      containers: [
        { name: 'two', image: 'x' },
        { name: 'three', image: 'y' },
      ],
    }),
  );
  agree(inPod({ containers: [{ name: 'one', $patch: 'delete' }] }));
  agree(inPod({ containers: [{ $patch: 'replace' }, { name: 'z', image: 'z' }] }));
  agree(
    inPod({
      '$setElementOrder/containers': [{ name: 'two' }, { name: 'new' }, { name: 'one' }],
      containers: [{ name: 'new', image: 'n' }],
    }),
  );
  agree(inPod({ volumes: [{ name: 'v', $retainKeys: ['name', 'emptyDir'], emptyDir: {} }] }));
  agree({
    metadata: { '$deleteFromPrimitiveList/finalizers': ['example.com/a'], finalizers: ['example.com/c'] },
  });
  agree({ spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } });
  agree(
    inPod({
      initContainers: [
        { name: 'i', $patch: 'delete' },
        { name: 'j', image: 'x', args: null },
      ],
    }),
  );
  agree(inPod({ affinity: { $patch: 'delete' }, nodeSelector: { a: null, b: 'c' } }));
  agree({
    metadata: { labels: { $patch: 'delete' } },
    spec: { strategy: { rollingUpdate: { $patch: 'delete' } } },
  });
  agree({ metadata: { labels: { $patch: 'replace', only: 'me' } } });
});

test('patches made at random give the same object', { skip }, () => {
  const random = seededRandom(SEED);
  const some = <T>(items: readonly T[]): T[] => items.filter(() => random.below(2) === 0);
  const value = () => String(random.below(3));
  const element = (
    key: string,
    names: readonly (string | number)[],
    more: (name: string | number) => object,
  ) =>
    some(names).map(name =>
      random.below(5) === 0 ? { [key]: name, $patch: 'delete' } : { [key]: name, ...more(name) },
    );
  for (let round = 0; round < ROUNDS; round++) {
    agree({
      metadata: {
        labels: Object.fromEntries(
          some(['app', 'tier', 'new']).map(key => [key, random.below(3) === 0 ? null : value()]),
        ),
      },
      spec: {
        ...(random.below(2) ? { replicas: random.below(5) } : {}),
        template: {
          spec: {
            containers: element('name', ['two', 'three', 'one'], () => ({
              image: `i:${value()}`,
              ...(random.below(2)
                ? { env: element('name', ['B', 'C', 'A'], () => ({ value: value() })) }
                : {}),
              ...(random.below(2)
                ? { ports: element('containerPort', [81, 82, 80], () => ({ name: `p${value()}` })) }
                : {}),
              ...(random.below(2) ? { args: some(['x', 'y']) } : {}),
            })),
            ...(random.below(2) ? { tolerations: [{ key: value(), operator: 'Exists' }] } : {}),
          },
        },
      },
    });
  }
});
