// Kubeflow Pipelines' API server over its MySQL: what it makes there, and what it asks of a caller.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { component } from '../support/component.ts';
import { NO_KUBECTL } from '../support/practice.ts';

const start = component('pipelines', 'asking');

it('the API server makes its tables, and wants to know who asks', { skip: NO_KUBECTL }, async () => {
  const c = await start();
  const deployed = await c.until(
    () => c.sh('kubectl logs -n kubeflow deployment/ml-pipeline'),
    log => log.includes('Starting Http Proxy'),
  );
  assert.match(deployed, /Initializing DB client\.\.\.\n.*DB client initialized successfully/);
  const tables = await c.sh("kubectl exec -n kubeflow deployment/mysql -- mysql mlpipeline -e 'show tables'");
  assert.match(tables, /^Tables_in_mlpipeline\ndb_statuses\n[\s\S]*\nrun_details\n/);
  await c.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'desk' },
    spec: { containers: [{ name: 'desk', image: 'nginx:1.27' }] },
  });
  await c.until(
    async () => (await c.get('v1 pods', 'desk'))?.status?.phase,
    phase => phase === 'Running',
  );
  const ask = (path: string) =>
    c.sh(`kubectl exec desk -- curl -s http://ml-pipeline.kubeflow:8888/apis/v2beta1/${path}`);
  assert.equal(JSON.parse(await ask('healthz')).multi_user, true);
  assert.match(JSON.parse(await ask('runs')).message, /User identity is empty in the request header/);

  const as = async (user: string) =>
    JSON.parse(
      await c.sh(
        `kubectl exec desk -- curl -s -H 'kubeflow-userid: ${user}' 'http://ml-pipeline.kubeflow:8888/apis/v2beta1/experiments?namespace=asking'`,
      ),
    );
  assert.match(
    (await as('ada')).message,
    /Failed to create SubjectAccessReview for user 'ada' .*"system:serviceaccount:kubeflow:ml-pipeline" cannot create/,
  );
  await c.sh(
    'kubectl create clusterrolebinding reviews --clusterrole=system:auth-delegator --serviceaccount=kubeflow:ml-pipeline; kubectl create rolebinding ada -n asking --clusterrole=lister --user=ada',
  );
  await c.create({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'lister' },
    rules: [{ apiGroups: ['pipelines.kubeflow.org'], resources: ['experiments'], verbs: ['list'] }],
  });
  assert.match((await as('bob')).message, /PermissionDenied: User 'bob' is not authorized/);
  assert.deepEqual(await as('ada'), {});
  await c.sh(
    `kubectl exec -n kubeflow deployment/mysql -- mysql mlpipeline -e "insert into experiments (UUID, Name, CreatedAtInSec, Namespace, StorageState) values ('e1', 'Default', 1795910400, 'asking', 'AVAILABLE')"`,
  );
  const { experiments, total_size } = await as('ada');
  assert.deepEqual([experiments[0].display_name, total_size], ['Default', 1]);
});
