// helm and k9s. With the binaries: a chart of ours through its life, and a screen that shows a pod. Without: what helm does on
// the wire, by client-node — releases as Secrets, three-way patches, waiting for readiness, hooks.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import * as k8s from '@kubernetes/client-node';
import { sharedCluster } from '../support/practice.ts';
import { transcript } from '../support/transcript.ts';

const cluster = sharedCluster();
const without = (program: string): string | false =>
  spawnSync('which', [program]).status === 0 ? false : `${program} is not on the PATH`;

const TEMPLATE = `apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}-web, labels: {app: {{ .Release.Name }}}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec: {containers: [{name: c, image: 'nginx:1.27'}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: {{ .Release.Name }}-before, annotations: {helm.sh/hook: 'pre-install,pre-upgrade', helm.sh/hook-delete-policy: hook-succeeded}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: 'busybox:1.36', command: ['true']}]}}}
`;

test('a chart is installed, upgraded, rolled back and taken away', { skip: without('helm') }, async () => {
  const started = await cluster();
  const chart = join(started.folder, 'chart', 'templates');
  await mkdir(chart, { recursive: true });
  await writeFile(join(chart, 'all.yaml'), TEMPLATE);
  await writeFile(join(chart, '..', 'Chart.yaml'), 'apiVersion: v2\nname: ours\nversion: 0.1.0\n');
  await writeFile(join(chart, '..', 'values.yaml'), 'replicas: 1\n');
  await transcript(
    started,
    `
    $ helm install one chart --wait --timeout 60s | grep -E '^(NAME|STATUS|REVISION):'
    NAME: one
    STATUS: deployed
    REVISION: 1

    $ helm upgrade one chart --set replicas=2 --wait --timeout 60s | grep REVISION
    REVISION: 2

    $ kubectl get deploy one-web -o jsonpath={.spec.replicas}/{.status.readyReplicas}
    2/2

    $ helm rollback one 1 --wait --timeout 60s
    Rollback was a success! Happy Helming!

    $ kubectl get deploy one-web -o jsonpath={.spec.replicas}
    1

    $ helm history one -o json | grep -o '"revision":[0-9]*' | tail -1
    "revision":3

    $ helm uninstall one --wait --timeout 60s
    release "one" uninstalled

    $ kubectl get deploy,job,secret -l 'app in (one), owner=helm'
    No resources found in default namespace.
    `,
  );
});

test('k9s shows the pods of a cluster', { skip: without('k9s') || without('script') }, async () => {
  const started = await cluster();
  await started.sh('kubectl run shown --image=nginx:1.27');
  const { text } = await started.sh(
    'timeout 8 script -qec "stty cols 160 rows 40; k9s -n default -c pods" /dev/null',
    { env: { TERM: 'xterm-256color' } },
  );
  assert.match(text, /shown/);
});

const namespace = 'helm-wire';

async function clients() {
  const config = new k8s.KubeConfig();
  config.loadFromFile((await cluster()).kubeconfig);
  return {
    config,
    core: config.makeApiClient(k8s.CoreV1Api),
    apps: config.makeApiClient(k8s.AppsV1Api),
    batch: config.makeApiClient(k8s.BatchV1Api),
  };
}

/** As helm writes it: JSON, gzip, base64 — and once more base64, since it is the value of a Secret. */
function releaseSecret(name: string, version: number, status: string, manifest: string): k8s.V1Secret {
  const release = { name, namespace, version, manifest, info: { status } };
  const text = gzipSync(JSON.stringify(release)).toString('base64');
  return {
    type: 'helm.sh/release.v1',
    metadata: {
      name: `sh.helm.release.v1.${name}.v${version}`,
      labels: { owner: 'helm', name, status, version: String(version) },
    },
    data: { release: Buffer.from(text).toString('base64') },
  };
}

function readRelease(secret: k8s.V1Secret): { version: number; manifest: string; info: { status: string } } {
  const text = Buffer.from(secret.data?.release ?? '', 'base64').toString();
  return JSON.parse(gunzipSync(Buffer.from(text, 'base64')).toString());
}

test('releases are kept as Secrets, found by their labels and superseded one by one', async () => {
  const { core } = await clients();
  await core.createNamespace({ body: { metadata: { name: namespace } } });
  const manifest = 'kind: Deployment\n'.repeat(20_000);
  await core.createNamespacedSecret({
    namespace,
    body: releaseSecret('web', 1, 'pending-install', manifest),
  });
  const update = async (version: number, status: string) => {
    const body = releaseSecret('web', version, status, manifest);
    await core.replaceNamespacedSecret({ namespace, name: body.metadata?.name ?? '', body });
  };
  await update(1, 'deployed');
  await core.createNamespacedSecret({
    namespace,
    body: releaseSecret('web', 2, 'pending-upgrade', manifest),
  });
  await update(1, 'superseded');
  await update(2, 'deployed');
  const found = await core.listNamespacedSecret({
    namespace,
    labelSelector: 'owner=helm,name=web,status=deployed',
  });
  const [deployed] = found.items;
  assert.equal(found.items.length, 1);
  assert.equal(deployed?.type, 'helm.sh/release.v1');
  assert.deepEqual(readRelease(deployed as k8s.V1Secret), {
    name: 'web',
    namespace,
    version: 2,
    manifest,
    info: { status: 'deployed' },
  });
  const all = await core.listNamespacedSecret({ namespace, fieldSelector: 'type=helm.sh/release.v1' });
  assert.deepEqual(
    all.items.map(({ metadata }) => metadata?.labels?.status),
    ['superseded', 'deployed'],
  );
  await assert.rejects(
    core.createNamespacedSecret({ namespace, body: releaseSecret('web', 2, 'pending-upgrade', manifest) }),
    (error: k8s.ApiException<string>) => error.code === 409,
  );
  const opaque = { ...releaseSecret('web', 2, 'deployed', manifest), type: 'Opaque' };
  await assert.rejects(
    core.replaceNamespacedSecret({ namespace, name: opaque.metadata?.name ?? '', body: opaque }),
    (error: k8s.ApiException<string>) => error.code === 422 && /field is immutable/.test(String(error.body)),
  );
});

const deployment = (replicas: number, image: string): k8s.V1Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'web',
    labels: { 'app.kubernetes.io/managed-by': 'Helm' },
    annotations: { 'meta.helm.sh/release-name': 'web' },
  },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'c', image }] },
    },
  },
});

test('an upgrade patches what the chart changed, keeps what others did, and waits until it is ready', async () => {
  const { apps } = await clients();
  const strategic = k8s.setHeaderOptions('Content-Type', k8s.PatchStrategy.StrategicMergePatch);
  const at = { namespace, name: 'web' };
  await apps.createNamespacedDeployment({ namespace, body: deployment(1, 'nginx:1.27') });
  // Somebody else adds a sidecar; the chart of the next release knows nothing of it.
  const sidecar = { name: 'proxy', image: 'busybox:1.36', command: ['sleep', '1000'] };
  await apps.patchNamespacedDeployment(
    { ...at, body: { spec: { template: { spec: { containers: [sidecar] } } } } },
    strategic,
  );
  // From old to new manifest, against what is live: a list is merged by its key and its order is told.
  const body = {
    spec: {
      replicas: 2,
      template: {
        spec: {
          '$setElementOrder/containers': [{ name: 'c' }],
          containers: [{ name: 'c', image: 'nginx:1.28' }],
        },
      },
    },
  };
  const patched = await apps.patchNamespacedDeployment({ ...at, body }, strategic);
  assert.deepEqual(patched.spec?.template.spec?.containers.map(({ name, image }) => [name, image]).sort(), [
    ['c', 'nginx:1.28'],
    ['proxy', 'busybox:1.36'],
  ]);
  const deadline = Date.now() + 60_000;
  for (;;) {
    const { status, metadata } = await apps.readNamespacedDeployment(at);
    const isReady =
      status?.observedGeneration === metadata?.generation &&
      status?.updatedReplicas === 2 &&
      status?.readyReplicas === 2 &&
      status?.replicas === 2;
    if (isReady) break;
    assert.ok(Date.now() < deadline, JSON.stringify(status));
    await new Promise(resolve => setTimeout(resolve, 200));
  }
  await apps.patchNamespacedDeployment({ ...at, body: { spec: { replicas: null } } }, strategic);
  const { spec } = await apps.readNamespacedDeployment(at);
  assert.equal(spec?.replicas, 1, 'what is taken away gets its default again');
});

test('a hook is watched until it has succeeded, and then deleted', async () => {
  const { config, core, batch } = await clients();
  const job: k8s.V1Job = {
    metadata: { name: 'before', annotations: { 'helm.sh/hook': 'pre-upgrade' } },
    spec: {
      backoffLimit: 0,
      template: {
        spec: {
          restartPolicy: 'Never',
          containers: [{ name: 'c', image: 'busybox:1.36', command: ['true'] }],
        },
      },
    },
  };
  const created = await batch.createNamespacedJob({ namespace, body: job });
  const seen: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`only came: ${seen.join(' ')}`)), 60_000);
    const watching = new k8s.Watch(config).watch(
      `/apis/batch/v1/namespaces/${namespace}/jobs`,
      { fieldSelector: 'metadata.name=before', resourceVersion: created.metadata?.resourceVersion },
      (type: string, object: k8s.V1Job) => {
        seen.push(type);
        if (!object.status?.conditions?.some(c => c.type === 'Complete' && c.status === 'True')) return;
        clearTimeout(late);
        void watching.then(controller => controller.abort());
        resolve();
      },
      () => {},
    );
  });
  assert.ok(
    seen.every(type => type === 'MODIFIED'),
    seen.join(' '),
  );
  await batch.deleteNamespacedJob({ namespace, name: 'before', propagationPolicy: 'Background' });
  await assert.rejects(
    batch.readNamespacedJob({ namespace, name: 'before' }),
    (error: k8s.ApiException<string>) => error.code === 404,
  );
  await core.deleteNamespace({ name: namespace });
});
