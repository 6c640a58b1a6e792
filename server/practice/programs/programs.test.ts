// What every program must do: have an image in the catalogue, run, and end on SIGTERM or SIGKILL.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testNode } from '../node/test-node.ts';
import { catalogue, imageSize, parseReference, programFor, programs } from './index.ts';

const PODS = { group: '', version: 'v1', resource: 'pods' };

describe('programs', () => {
  it('each has an image that can be pulled', () => {
    const repositories = new Set(catalogue.map(e => e.repository));
    const missing = programs.filter(p => p.image !== '*' && !repositories.has(p.image)).map(p => p.image);
    assert.deepEqual(missing, []);
  });

  for (const entry of catalogue) {
    const image = `${entry.repository}${Object.keys(entry.tags)[0]!.startsWith('sha256:') ? '@' : ':'}${Object.keys(entry.tags)[0]}`;
    it(`${entry.repository} starts and stops`, async t => {
      assert.ok(imageSize(parseReference(image))! > 0);
      assert.ok(programFor(entry.repository));
      const { api, pass, run, pod, faults, nodes } = await testNode(t, { cpus: '8', memory: '64Gi' });
      if (entry.private) nodes.images('minikube')!.load(image, 1);
      await run('p', {
        terminationGracePeriodSeconds: 2,
        containers: [{ name: 'c', image, env: [{ name: 'MYSQL_ALLOW_EMPTY_PASSWORD', value: 'yes' }] }],
      });
      await pass(6_000);
      const [status] = (await pod('p')).status.containerStatuses;
      assert.ok(status.containerID, JSON.stringify(status.state));
      assert.notEqual(status.lastState.terminated?.reason, 'StartError', JSON.stringify(status));
      await api.delete(PODS, { namespace: 'life', name: 'p' });
      await pass(8_000);
      await assert.rejects(pod('p'), /not found/);
      assert.deepEqual(faults, []);
    });
  }
});
