// The baseline `kserve-ready`: KServe's manager with every kind, its pod webhook and one serving runtime, so that a model can be
// served. Knows no lesson.

import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { KubeApi } from '../../check/index.ts';
import type { KubeObject } from '../../kube/index.ts';
import { createAll } from './create.ts';
import { installKserve, kserve } from './kserve.ts';
import { inferenceServiceCrd } from './kserve-crds.ts';
import { servingCertificate } from './serving-certificate.ts';
import type { Baseline, BaselineContext } from './types.ts';

const NAMESPACE = 'kubeflow';
const MANAGER = 'kserve-controller-manager';
const WEBHOOK = 'kserve-webhook-server-service';
const CERTIFICATE = 'kserve-webhook-server-cert';
const CONFIGURATION = 'inferenceservice.serving.kserve.io';
const RUNTIME = 'kserve-xgbserver';
/** Where the manager looks for its certificate. */
const FOLDER = '/tmp/k8s-webhook-server/serving-certs';

function withCertificate(object: KubeObject): KubeObject {
  if (object.kind !== 'Deployment' || object.metadata.name !== MANAGER) return object;
  const { spec } = object;
  const pod = spec.template.spec;
  const containers = pod.containers.map((container: any) =>
    container.name === 'manager'
      ? {
          ...container,
          env: [
            ...(container.env ?? []),
            { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
          ],
          volumeMounts: [{ name: 'cert', mountPath: FOLDER, readOnly: true }],
        }
      : container,
  );
  const volumes = [...(pod.volumes ?? []), { name: 'cert', secret: { secretName: CERTIFICATE } }];
  return {
    ...object,
    spec: { ...spec, template: { ...spec.template, spec: { ...pod, containers, volumes } } },
  };
}

const runtime: KubeObject = {
  apiVersion: 'serving.kserve.io/v1alpha1',
  kind: 'ClusterServingRuntime',
  metadata: { name: RUNTIME },
  spec: {
    annotations: { 'prometheus.kserve.io/path': '/metrics', 'prometheus.kserve.io/port': '8080' },
    containers: [
      {
        name: 'kserve-container',
        image: 'kserve/xgbserver:v0.14.0',
        args: ['--model_name={{.Name}}', '--model_dir=/mnt/models', '--http_port=8080'],
        resources: {
          limits: { cpu: '1', memory: '2Gi' },
          requests: { cpu: '100m', memory: '256Mi' },
        },
      },
    ],
    protocolVersions: ['v1', 'v2'],
    supportedModelFormats: [{ name: 'xgboost', version: '1', autoSelect: true, priority: 1 }],
  },
};

const webhook = (certificate: string): KubeObject => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  metadata: { name: CONFIGURATION },
  webhooks: [
    {
      name: 'inferenceservice.kserve-webhook-server.pod-mutator',
      admissionReviewVersions: ['v1beta1', 'v1'],
      clientConfig: {
        caBundle: Buffer.from(certificate).toString('base64'),
        service: { name: WEBHOOK, namespace: NAMESPACE, path: '/mutate-pods', port: 443 },
      },
      failurePolicy: 'Fail',
      namespaceSelector: { matchExpressions: [{ key: 'control-plane', operator: 'DoesNotExist' }] },
      objectSelector: {
        matchExpressions: [{ key: 'serving.kserve.io/inferenceservice', operator: 'Exists' }],
      },
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
      sideEffects: 'None',
    },
  ],
});

export const kserveReady: Baseline = {
  name: 'kserve-ready',
  namespaces: [NAMESPACE],
  get clusterScoped() {
    return [
      {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'MutatingWebhookConfiguration',
        name: CONFIGURATION,
      },
      { apiVersion: 'serving.kserve.io/v1alpha1', kind: 'ClusterServingRuntime', name: RUNTIME },
      ...(kserve.clusterScoped ?? []),
    ];
  },
  async apply(api: KubeApi, context: BaselineContext) {
    const host = `${WEBHOOK}.${NAMESPACE}.svc`;
    const { certificate, key } = await servingCertificate(host, context.clock.now());
    await createAll(api, [await inferenceServiceCrd()], context.signal);
    await installKserve(api, context, [MANAGER], withCertificate);
    await createAll(
      api,
      [
        {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { namespace: NAMESPACE, name: CERTIFICATE },
          type: 'kubernetes.io/tls',
          stringData: { 'tls.crt': certificate, 'tls.key': key },
        },
        {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { namespace: NAMESPACE, name: 'examples' },
          data: parse(readFileSync(new URL('./kserve-examples.yaml', import.meta.url), 'utf8')),
        },
        runtime,
        webhook(certificate),
      ],
      context.signal,
    );
  },
};
