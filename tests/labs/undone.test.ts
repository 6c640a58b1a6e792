// Each object a solution made is left out on a real cluster, one after the other, and a check that does not miss it is told.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseLab } from '#common/lab/index.ts';
import { type CheckContext, openKubeWatch } from '../../server/check/index.ts';
import { realClock } from '../../server/clock.ts';
import { everything, unneeded } from '../../server/lab/index.ts';
import { startPracticeWorker } from '../../server/practice/index.ts';
import { KUBECTL, NO_KUBECTL } from '../support/kubectl.ts';

const text = { 'zh-TW': '看', en: 'Look' };

test('an object that could be left out is named', {
  skip: NO_KUBECTL,
  timeout: 60_000,
}, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'undone-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const kubeconfig = join(folder, 'kubeconfig');
  const cluster = await startPracticeWorker({
    nodes: [{ name: 'minikube', cpus: '2', memory: '4Gi' }],
    listen: { port: 0 },
  });
  t.after(() => cluster.close());
  writeFileSync(kubeconfig, cluster.kubeconfig(`https://127.0.0.1:${cluster.port}`));
  const kubectl = (line: string) =>
    execFileSync(KUBECTL ?? '', line.split(' '), { env: { ...process.env, KUBECONFIG: kubeconfig } });
  const clock = realClock();
  const kube = await openKubeWatch(kubeconfig, clock);
  t.after(() => kube.close());

  kubectl('create configmap old --from-literal=text=then');
  const before = await everything(kube.api);
  const since = clock.now();
  // Clusters keep the seconds of who wrote what.
  await clock.sleep(1100);
  kubectl('create configmap needed --from-literal=text=hello');
  kubectl('create configmap beside --from-literal=text=hello');
  kubectl('patch configmap old -p {"data":{"text":"now"}}');

  const parsed = parseLab({
    title: text,
    minutes: 1,
    steps: [
      {
        id: 'make',
        task: text,
        hints: [text],
        checks: [{ resource: { ref: { kind: 'ConfigMap', name: 'needed' } } }],
      },
    ],
  });
  assert.ok(parsed.ok);
  const found = await unneeded(
    parsed.lab.steps[0]!,
    before,
    since,
    {
      kind: 'practice',
      kubeconfig,
      snapshot: () => cluster.snapshot(),
      restore: snapshot => cluster.restore(snapshot),
    },
    { kube, clock } as CheckContext,
  );
  assert.deepEqual(found, {
    tried: 2,
    survived: ['it still holds without ConfigMap beside'],
  });
  const now = await everything(kube.api);
  assert.ok(now.has('/api/v1/namespaces/default/configmaps/beside'), 'the cluster is as it was');
});
