// KServe as an installation of its own: an InferenceService becomes a server that answers from its model, heals, and says what
// stands in its way.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { type Component, component } from '../support/component.ts';
import { NO_KUBECTL } from '../support/practice.ts';

const start = component('kserve-ready', 'serving');
const SERVICES = 'serving.kserve.io/v1beta1 inferenceservices';
const RAW = { 'serving.kserve.io/deploymentMode': 'RawDeployment' };

/** Two thousand for a room, three for a square metre, and ten to begin with. */
const LINEAR = JSON.stringify({
  version: [2, 1, 1],
  learner: {
    attributes: {},
    learner_model_param: { base_score: '0E0', num_class: '0', num_feature: '2', num_target: '1' },
    objective: { name: 'reg:squarederror', reg_loss_param: { scale_pos_weight: '1' } },
    gradient_booster: { name: 'gblinear', model: { weights: [20, 3, 10], boosted_rounds: 1 } },
  },
});

const isvc = (name: string, model: object, annotations: Record<string, string> = RAW) => ({
  apiVersion: 'serving.kserve.io/v1beta1',
  kind: 'InferenceService',
  metadata: { name, annotations },
  spec: { predictor: { model: { modelFormat: { name: 'xgboost' }, ...model } } },
});

describe('KServe', { skip: NO_KUBECTL }, () => {
  let c: Component;
  before(async () => {
    c = await start();
    await c.sh('kubectl wait deployment --all -n kubeflow --for=condition=Available --timeout=60s');
    await c.create(
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'models' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'desk' },
        spec: {
          containers: [
            {
              name: 'desk',
              image: 'busybox:1.36',
              command: [
                'sh',
                '-c',
                `mkdir -p /models/house && echo '${LINEAR}' > /models/house/model.json; sleep 3600`,
              ],
              volumeMounts: [{ name: 'models', mountPath: '/models' }],
            },
          ],
          volumes: [{ name: 'models', persistentVolumeClaim: { claimName: 'models' } }],
        },
      },
    );
    await c.until(
      async () => (await c.get('v1 pods', 'desk'))?.status?.phase,
      phase => phase === 'Running',
    );
  });
  const becomes = (name: string, holds: (status: any) => boolean) =>
    c.until(
      async () => (await c.get(SERVICES, name))?.status,
      status => status !== undefined && holds(status),
    );
  const ready = (status: any) =>
    status.conditions?.some((one: any) => one.type === 'Ready' && one.status === 'True');

  it('makes a Deployment, a Service, an autoscaler and an Ingress, and answers from the model', async () => {
    await c.create(isvc('house-prices', { storageUri: 'pvc://models/house' }));
    const status = await becomes('house-prices', ready);
    assert.equal(status.url, 'http://house-prices-serving.example.com');
    assert.equal(status.address.url, 'http://house-prices-predictor.serving.svc.cluster.local');
    assert.deepEqual(
      status.conditions.map((one: any) => `${one.type}=${one.status}`),
      ['IngressReady=True', 'PredictorReady=True', 'Ready=True'],
    );
    assert.deepEqual(status.modelStatus.states, { activeModelState: 'Loaded', targetModelState: 'Loaded' });
    for (const resource of [
      'apps/v1 deployments',
      'v1 services',
      'autoscaling/v2 horizontalpodautoscalers',
    ]) {
      const child = await c.get(resource, 'house-prices-predictor');
      assert.equal(child.metadata.ownerReferences[0].name, 'house-prices', resource);
    }
    assert.ok(await c.get('networking.k8s.io/v1 ingresses', 'house-prices'));
    const [pod] = await c.list('v1 pods', 'serving.kserve.io/inferenceservice=house-prices');
    assert.deepEqual(
      pod.spec.volumes.find((one: any) => one.name === 'kserve-pvc-source').persistentVolumeClaim,
      { claimName: 'models' },
    );
    const ask = (path: string, body?: string) =>
      c.sh(
        `kubectl exec desk -- wget -qO- ${body ? `--post-data '${body}' ` : ''}http://house-prices-predictor/v1/models/${path}`,
      );
    assert.equal(await ask('house-prices'), '{"name":"house-prices","ready":true}');
    assert.equal(
      await ask('house-prices:predict', '{"instances": [[3, 80], [5, 120.5]]}'),
      '{"predictions":[310.0,471.5]}',
    );
    assert.match(
      (await c.events('InferenceService', 'house-prices')).join('\n'),
      /Normal InferenceServiceReady/,
    );
  });

  it('puts back a child that was deleted, and takes all with it when it goes', async () => {
    const { uid } = (await c.get('apps/v1 deployments', 'house-prices-predictor')).metadata;
    await c.delete('apps/v1 deployments', 'house-prices-predictor');
    await c.until(
      async () => (await c.get('apps/v1 deployments', 'house-prices-predictor'))?.metadata.uid,
      now => now !== undefined && now !== uid,
    );
    await becomes('house-prices', ready);
    await c.delete(SERVICES, 'house-prices');
    await c.until(
      async () => [
        await c.get('apps/v1 deployments', 'house-prices-predictor'),
        await c.get('v1 services', 'house-prices-predictor'),
        await c.get('networking.k8s.io/v1 ingresses', 'house-prices'),
      ],
      left => left.every(one => one === undefined),
    );
  });

  it('refuses the mode that needs Knative, and a format that no runtime knows', async () => {
    await c.create(isvc('serverless', { storageUri: 'pvc://models/house' }, {}));
    await c.until(
      () => c.events('InferenceService', 'serverless'),
      events =>
        events.includes(
          'Warning ServerlessModeRejected It is not possible to use Serverless deployment mode when Knative Services are not available',
        ),
    );
    assert.equal(await c.get('apps/v1 deployments', 'serverless-predictor'), undefined);
    await c.create(isvc('unknown', { modelFormat: { name: 'sklearn' }, storageUri: 'pvc://models/house' }));
    const status = await becomes('unknown', one => one.modelStatus !== undefined);
    assert.equal(status.modelStatus.transitionStatus, 'InvalidSpec');
    assert.equal(status.modelStatus.lastFailureInfo.reason, 'NoSupportingRuntime');
  });

  it('cannot fetch a model from where its network does not reach', async () => {
    await c.create(isvc('far', { storageUri: 'gs://kfserving-examples/models/xgboost/iris' }));
    const [pod] = await c.until(
      () => c.list('v1 pods', 'serving.kserve.io/inferenceservice=far'),
      pods => (pods[0]?.status?.initContainerStatuses?.[0]?.restartCount ?? 0) > 0,
    );
    const log = await c.sh(`kubectl logs ${pod.metadata.name} -c storage-initializer --previous`);
    assert.match(log, /Copying contents of gs:\/\/kfserving-examples\/models\/xgboost\/iris to local/);
    assert.match(log, /Failed to resolve 'storage\.googleapis\.com'/);
    const status = await becomes('far', one => one.conditions?.length > 0);
    assert.deepEqual(
      status.conditions.map((one: any) => `${one.type}=${one.status}`),
      ['IngressReady=False', 'PredictorReady=False', 'Ready=False'],
    );
  });

  it('says what it is not allowed to list', async () => {
    await c.patch('rbac.authorization.k8s.io/v1 clusterrolebindings', 'kserve-manager-rolebinding', {
      subjects: [],
    });
    await c.sh('kubectl rollout restart deployment kserve-controller-manager -n kubeflow');
    await c.until(
      () => c.sh('kubectl logs -n kubeflow deploy/kserve-controller-manager -c manager'),
      log =>
        /is forbidden: User "system:serviceaccount:kubeflow:kserve-controller-manager"/.test(
          log.replaceAll('\\', ''),
        ),
    );
  });
});
