// A cluster that stops and goes on: pods keep their identity, programs start again without a word.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PODS } from './resources.ts';
import { testNode } from './test-node.ts';

describe('a node that goes back in time', () => {
  it('takes up the containers that the restored status says were running', async t => {
    const { api, nodes, pass, run, pod, events, exec } = await testNode(t);
    await run('web', { containers: [{ name: 'c', image: 'nginx:1.27', ports: [{ containerPort: 80 }] }] });
    await pass(3_000);
    const before = await pod('web');
    const moment = new Map(api.objects);
    const extra = nodes.snapshot();
    await api.delete(PODS, { namespace: 'life', name: 'web' }, { gracePeriodSeconds: 0 });
    await pass(1_000);

    nodes.suspend();
    api.objects.clear();
    for (const [key, object] of moment) api.objects.set(key, object);
    await nodes.restore(extra);
    const said = (await events('web')).length;
    await pass(3_000);

    const after = await pod('web');
    assert.deepEqual(after.status, before.status);
    assert.equal((await events('web')).length, said, 'nothing is said about a container that goes on');
    assert.equal(
      (await exec('web', ['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', 'localhost'])).out,
      '200',
    );
  });

  it('keeps what an init container left in an emptyDir for as long as its pod lives', async t => {
    const { api, nodes, pass, run, exec } = await testNode(t);
    const container = (name: string, script: string) => ({
      name,
      image: 'busybox:1.35',
      command: ['sh', '-c', script],
      volumeMounts: [{ name: 'work', mountPath: '/pool' }],
    });
    await run('reader', {
      initContainers: [container('fetch', 'echo fetched > /pool/model')],
      containers: [container('c', 'sleep 3600')],
      volumes: [{ name: 'work', emptyDir: {} }],
    });
    await pass(4_000);
    const moment = new Map(api.objects);
    const extra = nodes.snapshot();
    const left = () =>
      JSON.stringify(nodes.snapshot(), (_key, value) => (value instanceof Map ? [...value] : value));
    assert.match(left(), /empty-dir.+model/);
    await api.delete(PODS, { namespace: 'life', name: 'reader' }, { gracePeriodSeconds: 0 });
    await pass(1_000);
    assert.doesNotMatch(left(), /empty-dir/, 'and no longer');

    nodes.suspend();
    api.objects.clear();
    for (const [key, object] of moment) api.objects.set(key, object);
    await nodes.restore(extra);
    await pass(2_000);
    assert.equal((await exec('reader', ['cat', '/pool/model'])).out, 'fetched\n');
  });

  it('keeps the images that were loaded into the node', async t => {
    const { nodes } = await testNode(t);
    nodes.images('minikube')!.load('local/app:1', 1_000);
    const moment = nodes.snapshot();
    nodes.images('minikube')!.remove('local/app:1');
    assert.equal(nodes.images('minikube')!.find('local/app:1'), undefined);
    nodes.suspend();
    await nodes.restore(moment);
    assert.equal(nodes.images('minikube')!.find('local/app:1')?.sizeBytes, 1_000);
  });
});
