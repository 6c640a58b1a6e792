// OpenAPI v3: the documents that kubectl explain and field validation read.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { apiGet } from '../support/api.ts';
import { NO_KUBECTL, sharedCluster } from '../support/practice.ts';
import { transcript } from '../support/transcript.ts';

const cluster = sharedCluster({ controlPlaneOnly: true });

interface Operation {
  parameters?: { name: string }[];
  requestBody?: { content: Record<string, unknown> };
  'x-kubernetes-action'?: string;
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string };
}
type PathItem = Record<string, Operation> & { parameters?: { name: string }[] };
interface Document {
  paths: Record<string, PathItem>;
  components: { schemas: Record<string, { properties?: Record<string, unknown> }> };
}

async function documents(): Promise<{
  index: Record<string, { serverRelativeURL: string }>;
  all: Map<string, Document>;
}> {
  const { url, kubeconfig } = await cluster();
  const answer = await apiGet(kubeconfig, url, '/openapi/v3');
  const index = (answer.json as { paths: Record<string, { serverRelativeURL: string }> }).paths;
  const all = new Map<string, Document>();
  for (const [name, { serverRelativeURL }] of Object.entries(index)) {
    all.set(name, (await apiGet(kubeconfig, url, serverRelativeURL)).json as Document);
  }
  return { index, all };
}

/** Query parameters of an operation by its action. */
const WRITE = ['dryRun', 'fieldManager', 'fieldValidation'];
const DELETE = [
  'dryRun',
  'gracePeriodSeconds',
  'ignoreStoreReadErrorWithClusterBreakingPotential',
  'orphanDependents',
  'propagationPolicy',
];
const SELECT = [
  'continue',
  'fieldSelector',
  'labelSelector',
  'limit',
  'resourceVersion',
  'resourceVersionMatch',
  'sendInitialEvents',
  'shardSelector',
  'timeoutSeconds',
];
const PARAMETERS: Record<string, string[]> = {
  post: WRITE,
  put: WRITE,
  patch: [...WRITE, 'force'],
  delete: DELETE,
  deletecollection: [...DELETE, ...SELECT].sort(),
  list: ['allowWatchBookmarks', ...SELECT, 'watch'],
};

test('every operation of the recorded server is described, with its parameters', async () => {
  const { all } = await documents();
  const paths = new Map([...all.values()].flatMap(document => Object.entries(document.paths)));
  const recorded = readFileSync(new URL('./openapi.tsv', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1);
  const missing: string[] = [];
  for (const line of recorded) {
    const [path = '', cells = ''] = line.split('\t');
    for (const cell of cells.split(' ')) {
      const [method = '', action = '', kind = ''] = cell.split(':');
      const item = paths.get(path);
      const operation = item?.[method];
      const gvk = operation?.['x-kubernetes-group-version-kind'];
      const seen = gvk && `${gvk.group ? `${gvk.group}/` : ''}${gvk.version}/${gvk.kind}`;
      if (operation?.['x-kubernetes-action'] !== action || seen !== kind)
        missing.push(`${method} ${path}: ${seen ?? 'absent'}`);
      const own = [...(operation?.parameters ?? []), ...(item?.parameters ?? [])].map(
        parameter => parameter.name,
      );
      const query = own.filter(name => name !== 'name' && name !== 'namespace').sort();
      const expected = cell.includes(':connect:') ? [] : (PARAMETERS[action] ?? []);
      // Review kinds and componentstatuses are read or posted without being stored.
      if (operation && expected.some(name => !query.includes(name)) && !path.includes('componentstatuses')) {
        missing.push(`${method} ${path}: parameters ${query}`);
      }
    }
  }
  assert.deepEqual(missing, []);
});

test('patches name their media types, custom ones without the strategic one', async () => {
  const { all } = await documents();
  const patch =
    all.get('apis/apps/v1')?.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']?.patch;
  assert.deepEqual(Object.keys(patch?.requestBody?.content ?? {}).sort(), [
    'application/apply-patch+yaml',
    'application/json-patch+json',
    'application/merge-patch+json',
    'application/strategic-merge-patch+json',
  ]);
});

test('every reference leads to a schema of the same document', async () => {
  const { all } = await documents();
  for (const [name, document] of all) {
    const text = JSON.stringify(document);
    for (const [, target = ''] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      assert.ok(document.components.schemas[target], `${name} has no ${target}`);
    }
  }
});

test('fields say what they are when nobody says, which values they take, and which of them exclude each other', async () => {
  const { all } = await documents();
  const schemas = all.get('api/v1')?.components.schemas as Record<string, any>;
  const field = (type: string, name: string) => schemas[`io.k8s.api.core.v1.${type}`].properties[name];
  assert.equal(field('Container', 'name').default, '');
  assert.equal(field('ContainerPort', 'containerPort').default, 0);
  assert.equal(field('ContainerPort', 'protocol').default, 'TCP');
  assert.equal(field('ContainerStatus', 'ready').default, false);
  assert.deepEqual(field('ConfigMap', 'metadata').default, {});
  assert.equal(field('PodSpec', 'hostname').default, undefined);
  assert.deepEqual(field('PersistentVolumeClaimSpec', 'accessModes').items.enum, [
    'ReadOnlyMany',
    'ReadWriteMany',
    'ReadWriteOnce',
    'ReadWriteOncePod',
  ]);
  assert.deepEqual(schemas['io.k8s.api.core.v1.SeccompProfile']['x-kubernetes-unions'], [
    { discriminator: 'type', 'fields-to-discriminateBy': { localhostProfile: 'LocalhostProfile' } },
  ]);
});

test('a document is found by its hash, kept for long, and moved when the hash is another', async () => {
  const { url, kubeconfig } = await cluster();
  const { index } = await documents();
  const path = index['apis/apps/v1']?.serverRelativeURL ?? '';
  const first = await apiGet(kubeconfig, url, path);
  assert.match(String(first.headers['cache-control']), /immutable/);
  const again = await apiGet(kubeconfig, url, path, { 'if-none-match': String(first.headers.etag) });
  assert.equal(again.status, 304);
  const moved = await apiGet(kubeconfig, url, '/openapi/v3/apis/apps/v1?hash=OLD');
  assert.equal(moved.status, 301);
  assert.equal(moved.headers.location, path);
});

test('OpenAPI v2 is a valid document, as protobuf and as JSON', async () => {
  const { url, kubeconfig } = await cluster();
  const type = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
  const protobuf = await apiGet(kubeconfig, url, '/openapi/v2', { accept: type });
  assert.equal(protobuf.status, 200);
  assert.equal(protobuf.headers['content-type'], type.replace('@', '.'));
  const json = await apiGet(kubeconfig, url, '/openapi/v2', { accept: 'application/json' });
  assert.equal((json.json as { swagger: string }).swagger, '2.0');
  const neither = await apiGet(kubeconfig, url, '/openapi/v2', { accept: 'text/html' });
  assert.equal(neither.status, 406);
});

test('kubectl explain reads the documents', { skip: NO_KUBECTL }, async () => {
  await transcript(
    await cluster(),
    `
    $ kubectl explain pod.spec.nope
    KIND:       Pod
    VERSION:    v1

    error: field "nope" does not exist
    [exit 1]

    $ kubectl explain deployment.spec.strategy.rollingUpdate.maxSurge
    GROUP:      apps
    KIND:       Deployment
    VERSION:    v1

    FIELD: maxSurge <IntOrString>
    ...

    $ kubectl explain pod.spec.restartPolicy
    KIND:       Pod
    VERSION:    v1

    FIELD: restartPolicy <string>
    ENUM:
        Always
        Never
        OnFailure
    ...

    $ kubectl explain configmap --recursive
    KIND:       ConfigMap
    VERSION:    v1

    DESCRIPTION:
        ConfigMap holds configuration data for pods to consume.
    …
    FIELDS:
      apiVersion <string>
      binaryData <map[string]string>
      data <map[string]string>
      immutable <boolean>
      kind <string>
      metadata <ObjectMeta>
        annotations <map[string]string>
    ...
    `,
  );
});
