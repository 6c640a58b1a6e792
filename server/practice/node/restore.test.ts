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
