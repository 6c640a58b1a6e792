// Kubeflow Notebooks as an installation of its own: a Notebook becomes a server that answers, stops and comes back with its
// files, and what goes wrong shows where the real controller shows it.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { type Component, component } from '../support/component.ts';
import { NO_KUBECTL } from '../support/practice.ts';

const IMAGE = 'ghcr.io/kubeflow/kubeflow/notebook-servers/jupyter:v1.10.0';
const LOG = 'kubectl logs -n kubeflow deploy/notebook-controller-deployment';
const start = component('notebooks', 'ada');
const NOTEBOOKS = 'kubeflow.org/v1 notebooks';
const SETS = 'apps/v1 statefulsets';

const claim = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'diary-workspace' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
};
const notebook = (
  name: string,
  container: object = {},
  more: object = {},
  labels?: Record<string, string>,
) => ({
  apiVersion: 'kubeflow.org/v1',
  kind: 'Notebook',
  metadata: { name, ...(labels && { labels }) },
  spec: { template: { spec: { containers: [{ name, image: IMAGE, ...container }], ...more } } },
});

describe('Notebooks', { skip: NO_KUBECTL }, () => {
  let c: Component;
  before(async () => {
    c = await start();
  });
  const becomes = (name: string, holds: (status: any) => boolean) =>
    c.until(
      async () => (await c.get(NOTEBOOKS, name))?.status,
      status => status !== undefined && holds(status),
    );
  const ready = (name: string) => becomes(name, status => status.readyReplicas === 1);

  it('make a StatefulSet and a Service, and mirror the pod', async () => {
    const mount = { volumeMounts: [{ name: 'home', mountPath: '/home/jovyan' }] };
    const volumes = [{ name: 'home', persistentVolumeClaim: { claimName: 'diary-workspace' } }];
    await c.create(claim, notebook('diary', mount, { volumes }, { team: 'data' }));
    const status = await ready('diary');

    const set = await c.get(SETS, 'diary');
    const [owner] = set.metadata.ownerReferences;
    assert.equal(
      `${owner.apiVersion} ${owner.kind} ${owner.name} ${owner.controller}`,
      'kubeflow.org/v1beta1 Notebook diary true',
    );
    assert.deepEqual(set.spec.template.metadata.labels, {
      statefulset: 'diary',
      'notebook-name': 'diary',
      team: 'data',
    });
    const { containers, securityContext } = set.spec.template.spec;
    assert.equal(securityContext.fsGroup, 100);
    assert.deepEqual(containers[0].env, [{ name: 'NB_PREFIX', value: '/notebook/ada/diary' }]);
    const { spec } = await c.get('v1 services', 'diary');
    assert.deepEqual(spec.selector, { statefulset: 'diary' });
    assert.deepEqual(spec.ports, [{ name: 'http-diary', port: 80, protocol: 'TCP', targetPort: 8888 }]);

    assert.ok(status.containerState.running.startedAt);
    assert.deepEqual(
      status.conditions.map((condition: { type: string }) => condition.type),
      ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'],
    );
    assert.match(
      await c.sh('kubectl describe notebook diary'),
      /Scheduled .*notebook-controller\s+Reissued from pod\/diary-0: Successfully assigned ada\/diary-0 to minikube/,
    );
  });

  it('answer below their prefix, for as long as they run', async () => {
    const command = [
      'sh',
      '-c',
      'b=http://diary.ada/notebook/ada/diary; until curl -sf $b/api; do sleep 1; done; curl -s -X POST $b/api/kernels; curl -s $b/api/status; curl -s -o /dev/null -w " %{http_code}" http://diary.ada/',
    ];
    const container = { name: 'probe', image: 'curlimages/curl:8.8.0', command };
    await c.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'probe' },
      spec: { restartPolicy: 'Never', containers: [container] },
    });
    await c.until(
      () => c.get('v1 pods', 'probe'),
      pod => pod.status.phase === 'Succeeded',
    );
    assert.match(
      await c.sh('kubectl logs probe'),
      /^\{"version":"2\..*"execution_state":"idle".*"kernels":1.* 404$/s,
    );
  });

  it('come back when their StatefulSet is deleted, and keep their files over a stop', async () => {
    await c.sh('kubectl exec diary-0 -- sh -c "echo kept > /home/jovyan/page"');
    const { uid } = (await c.get(SETS, 'diary')).metadata;
    await c.delete(SETS, 'diary');
    await c.until(
      () => c.get(SETS, 'diary'),
      set => set && set.metadata.uid !== uid,
    );

    const stop = (value: string | null) =>
      c.patch(NOTEBOOKS, 'diary', { metadata: { annotations: { 'kubeflow-resource-stopped': value } } });
    await stop('2026-11-24T06:00:00Z');
    await c.until(
      () => c.get(SETS, 'diary'),
      set => set.spec.replicas === 0,
    );
    await c.until(
      () => c.get('v1 pods', 'diary-0'),
      pod => pod === undefined,
    );
    const stopped = await becomes('diary', status => status.conditions.length === 0);
    assert.deepEqual(stopped, { conditions: [], containerState: {}, readyReplicas: 0 });
    await stop(null);
    await ready('diary');
    assert.equal(await c.sh('kubectl exec diary-0 -- cat /home/jovyan/page'), 'kept');
  });

  it('take their children with them, but not the claim', async () => {
    await c.delete(NOTEBOOKS, 'diary');
    const left = async () =>
      (
        await Promise.all(
          [SETS, 'v1 services', 'v1 pods'].map(kind => c.get(kind, kind === 'v1 pods' ? 'diary-0' : 'diary')),
        )
      ).filter(Boolean);
    await c.until(left, objects => objects.length === 0);
    assert.equal((await c.get('v1 persistentvolumeclaims', 'diary-workspace')).status.phase, 'Bound');
  });

  it('say what their pod waits for', async () => {
    await c.create(
      notebook('huge', { resources: { requests: { cpu: '64' } } }),
      notebook('typo', { image: `${IMAGE}-x` }),
    );
    await becomes('typo', ({ containerState }) =>
      /^(ErrImagePull|ImagePullBackOff)$/.test(containerState.waiting?.reason),
    );
    await c.until(
      () => c.events('Notebook', 'huge'),
      events =>
        events.some(text =>
          /^Warning FailedScheduling Reissued from pod\/huge-0: 0\/1 nodes are available: 1 Insufficient cpu/.test(
            text,
          ),
        ),
    );
  });

  it('show no container state when no container has their name', async () => {
    await c.create(notebook('other', { name: 'lab' }));
    assert.deepEqual((await ready('other')).containerState, {});
    assert.match(
      await c.sh(LOG),
      /Could not find container with the same name as Notebook in containerStates of Pod/,
    );
  });

  it('are not made while the controller may not, which its log says', async () => {
    await c.delete('rbac.authorization.k8s.io/v1 clusterrolebindings', 'notebook-controller-role-binding');
    await c.create(notebook('refused'));
    await c.until(
      () => c.sh(LOG),
      text =>
        /Reconciler error.*statefulsets\.apps is forbidden: User .*notebook-controller-service-account.* cannot create resource/.test(
          text,
        ),
    );
    assert.equal(await c.get(SETS, 'refused'), undefined);
    const account = 'kubeflow:notebook-controller-service-account';
    await c.sh(
      `kubectl create clusterrolebinding again --clusterrole=notebook-controller-role --serviceaccount=${account}`,
    );
    await ready('refused');
  });

  it('need the kind of a route where they are told to use Istio', async () => {
    await c.sh('kubectl set env -n kubeflow deploy/notebook-controller-deployment USE_ISTIO=true');
    await c.until(
      () => c.sh(LOG),
      text =>
        /no matches for kind \\"VirtualService\\" in version \\"networking.istio.io\/v1alpha3\\"/.test(text),
    );
    const names = {
      kind: 'VirtualService',
      listKind: 'VirtualServiceList',
      plural: 'virtualservices',
      singular: 'virtualservice',
    };
    const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    const versions = [{ name: 'v1alpha3', served: true, storage: true, schema: { openAPIV3Schema } }];
    await c.create({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'virtualservices.networking.istio.io' },
      spec: { group: 'networking.istio.io', scope: 'Namespaced', names, versions },
    });
    const { spec } = await c.until<any>(
      () => c.get('networking.istio.io/v1alpha3 virtualservices', 'notebook-ada-other'),
      Boolean,
    );
    assert.deepEqual(spec.gateways, ['kubeflow/kubeflow-gateway']);
    assert.equal(spec.http[0].match[0].uri.prefix, '/notebook/ada/other/');
    assert.equal(spec.http[0].route[0].destination.host, 'other.ada.svc.cluster.local');
  });
});
