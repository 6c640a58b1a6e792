// What a line of a solution would take from a learner, tried by a real kubectl on a practice cluster.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { realClock } from '../../server/clock.ts';
import { lossesOf } from '../../server/lab/index.ts';
import { startPracticeWorker, type WorkerCluster } from '../../server/practice/index.ts';
import { KUBECTL, NO_KUBECTL } from '../support/kubectl.ts';

const folder = mkdtempSync(join(tmpdir(), 'losses-'));
const home = join(folder, 'home');
const kubeconfig = join(folder, 'kubeconfig');
let cluster: WorkerCluster;
let since = 0;

const kubectl = (line: string) =>
  execFileSync(KUBECTL ?? '', line.split(' '), {
    cwd: home,
    env: { ...process.env, KUBECONFIG: kubeconfig },
  });
const losses = (line: string) => lossesOf(line, { kubectl: KUBECTL, kubeconfig, home, since });
const nothing = { objects: [], files: [] };

before(async () => {
  if (NO_KUBECTL) return;
  mkdirSync(home);
  cluster = await startPracticeWorker({
    nodes: [{ name: 'minikube', cpus: '2', memory: '4Gi' }],
    listen: { port: 0 },
  });
  writeFileSync(kubeconfig, cluster.kubeconfig(`https://127.0.0.1:${cluster.port}`));
  kubectl('create deployment web --image=nginx:1.27');
  kubectl('create deployment laid-out --image=nginx:1.27');
  kubectl('create configmap settings --from-literal=currency=TWD');
  since = Date.now();
  // Clusters keep the seconds of who wrote what.
  await realClock().sleep(1100);
  kubectl('scale deployment web --replicas=3');
  kubectl('create configmap mine --from-literal=text=hello');
  writeFileSync(
    join(home, 'mine.yaml'),
    'kind: ConfigMap\napiVersion: v1\nmetadata: { name: mine }\ndata: { text: bye }\n',
  );
});
after(async () => {
  await cluster?.close();
  rmSync(folder, { recursive: true, force: true });
});

test('what the learner made and set is told, field by field, and nothing is changed', {
  skip: NO_KUBECTL,
}, async () => {
  assert.deepEqual(await losses('kubectl scale deployment web --replicas=0'), {
    objects: [
      {
        name: 'Deployment default/web',
        deleted: false,
        fields: [{ path: 'spec.replicas', yours: '3', becomes: '0' }],
      },
    ],
    files: [],
  });
  const applied = [
    {
      name: 'ConfigMap default/mine',
      deleted: false,
      fields: [{ path: 'data.text', yours: 'hello', becomes: 'bye' }],
    },
  ];
  assert.deepEqual((await losses('kubectl apply -f ~/mine.yaml')).objects, applied);
  assert.deepEqual((await losses('kubectl apply -f mine.yaml')).objects, applied);
  assert.deepEqual((await losses('kubectl delete configmap mine settings')).objects, [
    { name: 'ConfigMap default/mine', deleted: true, fields: [] },
  ]);
  assert.match(String(kubectl('get configmap mine -o jsonpath={.data.text}')), /hello/);
  assert.match(String(kubectl('get deployment web -o jsonpath={.spec.replicas}')), /3/);
});

test('what the lab laid out, or is not there, is no loss', { skip: NO_KUBECTL }, async () => {
  for (const line of [
    'kubectl scale deployment laid-out --replicas=0',
    'kubectl delete configmap settings',
    'kubectl create configmap mine --from-literal=text=other',
    'kubectl create configmap other -n nowhere --from-literal=text=other',
    'kubectl label deployment web tier=front',
    'kubectl get pods -A',
  ])
    assert.deepEqual(await losses(line), nothing, line);
});

test('a file the learner wrote is told before it is written anew', { skip: NO_KUBECTL }, async () => {
  assert.deepEqual((await losses("printf 'a' > ~/mine.yaml")).files, ['~/mine.yaml']);
  assert.deepEqual((await losses("printf 'a' > ~/new.yaml")).files, []);
});

test('what cannot be tried says so', { skip: NO_KUBECTL }, async () => {
  await assert.rejects(
    losses('kubectl --kubeconfig=/root/.kube/config delete configmap mine'),
    /cannot be compared/,
  );
  await assert.rejects(losses('kubectl apply -f /etc/hostname'), /outside the home folder/);
  writeFileSync(join(folder, 'theirs'), 'secret');
  symlinkSync(join(folder, 'theirs'), join(home, 'led-away.yaml'));
  for (const how of ['-f ~/led-away.yaml', '-f led-away.yaml', '--filename=./led-away.yaml'])
    await assert.rejects(losses(`kubectl apply ${how}`), /outside the home folder/, how);
  await assert.rejects(
    lossesOf('kubectl delete configmap mine', { kubectl: undefined, kubeconfig, home, since }),
    /no kubectl to compare with/,
  );
});
