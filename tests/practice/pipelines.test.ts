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
});
