// Discovery: what the API server says it serves, in every form a client may ask for.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { apiGet } from '../support/api.ts';
import { NO_KUBECTL, sharedCluster } from '../support/practice.ts';
import { transcript } from '../support/transcript.ts';

const cluster = sharedCluster({ controlPlaneOnly: true });
const ALL_VERBS = 'create,delete,deletecollection,get,list,patch,update,watch';

interface Kind {
  group: string;
  version: string;
  kind: string;
}
interface Discovered {
  items: {
    metadata: { name?: string };
    versions: {
      version: string;
      resources: {
        resource: string;
        singularResource: string;
        responseKind: Kind;
        scope: string;
        verbs: string[];
        shortNames?: string[];
        categories?: string[];
        subresources?: { subresource: string; responseKind: Kind; verbs: string[] }[];
      }[];
    }[];
  }[];
}

/** One line a resource, as in discovery.tsv. */
function lines({ items }: Discovered): string[] {
  const kind = (k: Kind) => (k.group || k.version ? `${k.group}/${k.version}/${k.kind}` : k.kind);
  return items.flatMap(group =>
    group.versions.flatMap(version =>
      version.resources.map(resource =>
        [
          group.metadata.name ?? 'core',
          version.version,
          resource.resource,
          resource.singularResource,
          kind(resource.responseKind),
          resource.scope,
          resource.verbs.join(',') === ALL_VERBS ? '*' : resource.verbs.join(','),
          resource.shortNames?.join(',') ?? '',
          resource.categories?.join(',') ?? '',
          resource.subresources
            ?.map(s => `${s.subresource}:${kind(s.responseKind)}:${s.verbs.join(',')}`)
            .join(';') ?? '',
        ]
          .join('\t')
          .trimEnd(),
      ),
    ),
  );
}

const recorded = readFileSync(new URL('./discovery.tsv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .filter(line => !line.startsWith('#'));

const aggregated = (version: string) => ({
  accept: `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList,application/json`,
});

test('aggregated discovery is that of the recorded server, in its order', async () => {
  const { url, kubeconfig } = await cluster();
  const seen: string[] = [];
  for (const path of ['/api', '/apis']) {
    const answer = await apiGet(kubeconfig, url, path, aggregated('v2'));
    assert.equal(
      answer.headers['content-type'],
      'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
    );
    seen.push(...lines(answer.json as Discovered));
  }
  assert.deepEqual(seen, recorded);
});

test('v2beta1 says the same under its own name', async () => {
  const { url, kubeconfig } = await cluster();
  const v2 = await apiGet(kubeconfig, url, '/apis', aggregated('v2'));
  const beta = await apiGet(kubeconfig, url, '/apis', aggregated('v2beta1'));
  assert.match(String(beta.headers['content-type']), /v=v2beta1/);
  assert.equal((beta.json as { apiVersion: string }).apiVersion, 'apidiscovery.k8s.io/v2beta1');
  assert.deepEqual(lines(beta.json as Discovered), lines(v2.json as Discovered));
});

test('an unchanged discovery answers 304 to its ETag', async () => {
  const { url, kubeconfig } = await cluster();
  const first = await apiGet(kubeconfig, url, '/apis', aggregated('v2'));
  const again = await apiGet(kubeconfig, url, '/apis', {
    ...aggregated('v2'),
    'if-none-match': String(first.headers.etag),
  });
  assert.equal(again.status, 304);
});

test('the plain lists name groups, versions, resources and subresources', async () => {
  const { url, kubeconfig } = await cluster();
  const get = async (path: string) =>
    (await apiGet(kubeconfig, url, path, { accept: 'application/json' })).json as never;
  assert.deepEqual(((await get('/api')) as { versions: string[] }).versions, ['v1']);
  const groups = (await get('/apis')) as {
    kind: string;
    groups: { name: string; preferredVersion: unknown }[];
  };
  assert.equal(groups.kind, 'APIGroupList');
  assert.deepEqual(groups.groups.find(group => group.name === 'autoscaling')?.preferredVersion, {
    groupVersion: 'autoscaling/v2',
    version: 'v2',
  });
  const core = (await get('/api/v1')) as { resources: Record<string, unknown>[] };
  const eviction = core.resources.find(resource => resource.name === 'pods/eviction');
  assert.deepEqual(eviction, {
    name: 'pods/eviction',
    singularName: '',
    namespaced: true,
    group: 'policy',
    version: 'v1',
    kind: 'Eviction',
    verbs: ['create'],
  });
  const pods = core.resources.find(resource => resource.name === 'pods');
  assert.equal(pods?.storageVersionHash, 'xPOwRZ+Yhw8=');
  assert.equal(((await get('/apis/apps')) as { kind: string }).kind, 'APIGroup');
});

test('kubectl lists versions and resources', { skip: NO_KUBECTL }, async () => {
  await transcript(
    await cluster(),
    `
    $ kubectl api-versions
    admissionregistration.k8s.io/v1
    apiextensions.k8s.io/v1
    apiregistration.k8s.io/v1
    apps/v1
    authentication.k8s.io/v1
    authorization.k8s.io/v1
    autoscaling/v1
    autoscaling/v2
    batch/v1
    certificates.k8s.io/v1
    coordination.k8s.io/v1
    discovery.k8s.io/v1
    events.k8s.io/v1
    flowcontrol.apiserver.k8s.io/v1
    networking.k8s.io/v1
    node.k8s.io/v1
    policy/v1
    rbac.authorization.k8s.io/v1
    resource.k8s.io/v1
    scheduling.k8s.io/v1
    storage.k8s.io/v1
    v1

    $ kubectl api-resources --api-group=apps -o wide
    NAME SHORTNAMES APIVERSION NAMESPACED KIND VERBS CATEGORIES
    controllerrevisions apps/v1 true ControllerRevision create,delete,deletecollection,get,list,patch,update,watch
    daemonsets ds apps/v1 true DaemonSet create,delete,deletecollection,get,list,patch,update,watch all
    deployments deploy apps/v1 true Deployment create,delete,deletecollection,get,list,patch,update,watch all
    replicasets rs apps/v1 true ReplicaSet create,delete,deletecollection,get,list,patch,update,watch all
    statefulsets sts apps/v1 true StatefulSet create,delete,deletecollection,get,list,patch,update,watch all

    $ kubectl get foo
    error: the server doesn't have a resource type "foo"
    [exit 1]

    $ kubectl get --raw /nope
    Error from server (NotFound): the server could not find the requested resource
    [exit 1]

    $ kubectl get --raw /apis/nope/v1
    Error from server (NotFound): the server could not find the requested resource
    [exit 1]
    `,
  );
});
