// What a test file leaves in a cluster that is not ours is taken away again, so that the next one finds what the first did.
// Takes only what came in between: new objects without a namespace or in `default`.

import { api } from './api.ts';

/** Comes and goes by itself, or is remade by whoever owns it. */
const LIVING = new Set([
  'events',
  'leases',
  'endpointslices',
  'endpoints',
  'nodes',
  'csinodes',
  'ipaddresses',
]);
/** How long what is deleted may take to be gone, ms. */
const GONE_WITHIN = 90_000;

interface Kind {
  path: string;
  namespaced: boolean;
}

interface Found {
  path: string;
  uid: string;
}

interface Discovery {
  items: {
    metadata: { name?: string };
    versions: {
      version: string;
      resources?: { resource: string; scope: string; verbs: string[] }[];
    }[];
  }[];
}

async function kinds(kubeconfig: string): Promise<Kind[]> {
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  const answers = await Promise.all(
    ['/api', '/apis'].map(path => api(kubeconfig, '', path, { headers: { accept } })),
  );
  return answers.flatMap(({ json }) =>
    ((json as Partial<Discovery> | undefined)?.items ?? []).flatMap(({ metadata, versions }) => {
      const [preferred] = versions;
      const root = metadata.name ? `/apis/${metadata.name}` : '/api';
      return (preferred?.resources ?? [])
        .filter(
          ({ verbs, resource }) => ['list', 'delete'].every(v => verbs.includes(v)) && !LIVING.has(resource),
        )
        .map(({ resource, scope }) => ({
          path: `${root}/${preferred?.version}${scope === 'Namespaced' ? '/namespaces/default' : ''}/${resource}`,
          namespaced: scope === 'Namespaced',
        }));
    }),
  );
}

/** Everything that could be left behind, definitions last: with them their objects would go unasked. */
async function everything(kubeconfig: string): Promise<Found[]> {
  const found: Found[] = [];
  for (const { path } of await kinds(kubeconfig)) {
    const { json } = await api(kubeconfig, '', path);
    const items = (json as { items?: { metadata: { name: string; uid: string } }[] }).items ?? [];
    found.push(...items.map(({ metadata: { name, uid } }) => ({ path: `${path}/${name}`, uid })));
  }
  const isDefinition = ({ path }: Found) => path.includes('/customresourcedefinitions/');
  return [...found.filter(object => !isDefinition(object)), ...found.filter(isDefinition)];
}

/** Looks at the cluster now; the returned function deletes what is there beyond that, and waits until it is gone. */
export async function rememberCluster(kubeconfig: string): Promise<() => Promise<void>> {
  const before = new Set((await everything(kubeconfig)).map(({ uid }) => uid));
  return async () => {
    const deadline = Date.now() + GONE_WITHIN;
    for (;;) {
      const left = (await everything(kubeconfig)).filter(({ uid }) => !before.has(uid));
      if (left.length === 0) return;
      if (Date.now() > deadline) {
        console.error(`Still there: ${left.map(({ path }) => path).join(', ')}`);
        return;
      }
      for (const { path } of left)
        await api(kubeconfig, '', `${path}?propagationPolicy=Background&gracePeriodSeconds=0`, {
          method: 'DELETE',
        });
      await new Promise(resolve => setTimeout(resolve, 300));
    }
  };
}
