// One stream that brings definitions together with their objects: what a first `kubectl apply` of a platform applies and
// what it refuses. A small stream of our own always; the real 575 objects when KUBEFLOW_SEED_MANIFEST names the file.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { NO_KUBECTL, startCluster } from '../support/practice.ts';
import { transcript } from '../support/transcript.ts';

const SEED = process.env.KUBEFLOW_SEED_MANIFEST ?? '';
/** Applied by a real control plane in its first pass, and in all. */
const FIRST_PASS = 496;
const ALL = 575;
/** Bytes of descriptions that push the last-applied annotation over 262144. */
const TOO_MUCH = 263_000;

const crd = (plural: string, kind: string, description = '') => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.pass.example.com` },
  spec: {
    group: 'pass.example.com',
    scope: 'Namespaced',
    names: { plural, singular: plural.slice(0, -1), kind },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', description, 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
        },
      },
    ],
  },
});

const stream = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'pass' } },
  crd('smalls', 'Small'),
  crd('larges', 'Large', 'x'.repeat(TOO_MUCH)),
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'pass' }, data: { a: 'b' } },
  {
    apiVersion: 'pass.example.com/v1',
    kind: 'Small',
    metadata: { name: 's', namespace: 'pass' },
    spec: { a: 1 },
  },
]
  .map(object => JSON.stringify(object))
  .join('\n---\n');

test('objects of a definition in the same stream wait for a second pass; a large one needs the server', {
  skip: NO_KUBECTL,
}, async t => {
  const cluster = await startCluster({ controlPlaneOnly: true });
  t.after(() => cluster.close());
  await writeFile(join(cluster.folder, 'stream.yaml'), stream);
  const first = await cluster.kubectl(['apply', '-f', 'stream.yaml']);
  assert.deepEqual(first.stdout.trim().split('\n'), [
    'namespace/pass created',
    'customresourcedefinition.apiextensions.k8s.io/smalls.pass.example.com created',
    'configmap/c created',
  ]);
  assert.match(
    first.stderr,
    /resource mapping not found for name: "s" namespace: "pass" from "stream.yaml": no matches for kind "Small" in version "pass.example.com\/v1"/,
  );
  assert.match(
    first.stderr,
    /"larges.pass.example.com" is invalid: metadata.annotations: Too long: may not be more than 262144 bytes/,
  );
  await transcript(
    cluster,
    `
    $ kubectl apply --server-side --force-conflicts -f stream.yaml
    namespace/pass serverside-applied
    customresourcedefinition.apiextensions.k8s.io/smalls.pass.example.com serverside-applied
    customresourcedefinition.apiextensions.k8s.io/larges.pass.example.com serverside-applied
    configmap/c serverside-applied
    small.pass.example.com/s serverside-applied
    `,
  );
});

const noSeed = NO_KUBECTL || (existsSync(SEED) ? false : 'KUBEFLOW_SEED_MANIFEST names no file');

test('the Kubeflow of December 2024 goes in as on a real control plane', { skip: noSeed }, async t => {
  const cluster = await startCluster({ controlPlaneOnly: true });
  t.after(() => cluster.close());
  const bytes = readFileSync(SEED);
  await writeFile(join(cluster.folder, 'seed.yaml'), SEED.endsWith('.gz') ? gunzipSync(bytes) : bytes);
  const first = await cluster.kubectl(['apply', '-f', 'seed.yaml'], { timeout: 120_000 });
  assert.equal(first.stdout.trim().split('\n').length, FIRST_PASS);
  assert.match(first.stderr, /no matches for kind "Certificate" in version "cert-manager.io\/v1"/);
  assert.match(
    first.stderr,
    /"inferenceservices.serving.kserve.io" is invalid: metadata.annotations: Too long/,
  );
  const second = await cluster.kubectl(['apply', '--server-side', '--force-conflicts', '-f', 'seed.yaml'], {
    timeout: 120_000,
  });
  const refusals = second.stderr.split('\n').filter(line => line.startsWith('Error from server'));
  assert.equal(second.stdout.trim().split('\n').length + refusals.length, ALL);
  for (const refusal of refusals)
    assert.match(refusal, /failed calling webhook .*no endpoints available for service/);
});
