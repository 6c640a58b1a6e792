// KServe's pod webhook: adds to a predictor's pod what brings the model. Knows the pod and the settings, no cluster.

import type { KubeObject } from '../../../kube/index.ts';
import type { HttpRequest, HttpResponse } from '../types.ts';
import { INITIALIZER, MODELS, SERVER, SOURCE } from './kinds.ts';

export const MUTATE_PODS = '/mutate-pods';
const PVC = /^pvc:\/\/([^/]+)\/?(.*)$/;
const PROVISIONED = 'kserve-provision-location';
const CLAIMED = 'kserve-pvc-source';

export interface InitializerSettings {
  image: string;
  cpuRequest?: string;
  cpuLimit?: string;
  memoryRequest?: string;
  memoryLimit?: string;
}

/** The pod with its model: a claim is mounted as it is, everything else is fetched by an init container first. */
function withModel(pod: any, settings: InitializerSettings): any {
  const uri: string | undefined = pod.metadata.annotations?.[SOURCE];
  if (!uri) return pod;
  const { spec } = pod;
  const claim = PVC.exec(uri);
  const mount = (name: string, more = {}) =>
    spec.containers.map((container: any) =>
      container.name === SERVER
        ? {
            ...container,
            volumeMounts: [
              ...(container.volumeMounts ?? []),
              { name, mountPath: MODELS, readOnly: true, ...more },
            ],
          }
        : container,
    );
  if (claim) {
    const [, claimName = '', subPath = ''] = claim;
    return {
      ...pod,
      spec: {
        ...spec,
        containers: mount(CLAIMED, subPath ? { subPath } : {}),
        volumes: [...(spec.volumes ?? []), { name: CLAIMED, persistentVolumeClaim: { claimName } }],
      },
    };
  }
  const { cpuRequest, cpuLimit, memoryRequest, memoryLimit } = settings;
  const initializer = {
    name: INITIALIZER,
    image: settings.image,
    args: [uri, MODELS],
    terminationMessagePolicy: 'FallbackToLogsOnError',
    resources: {
      limits: { cpu: cpuLimit ?? '1', memory: memoryLimit ?? '1Gi' },
      requests: { cpu: cpuRequest ?? '100m', memory: memoryRequest ?? '100Mi' },
    },
    volumeMounts: [{ name: PROVISIONED, mountPath: MODELS }],
  };
  return {
    ...pod,
    spec: {
      ...spec,
      initContainers: [...(spec.initContainers ?? []), initializer],
      containers: mount(PROVISIONED),
      volumes: [...(spec.volumes ?? []), { name: PROVISIONED, emptyDir: {} }],
    },
  };
}

/** Answers an admission review of a pod. */
export function reviewPod({ body }: HttpRequest, settings: InitializerSettings): HttpResponse {
  const { apiVersion, request } = JSON.parse(Buffer.from(body).toString('utf8'));
  const pod: KubeObject = request.object;
  const next = withModel(pod, settings);
  const patch = ['initContainers', 'containers', 'volumes']
    .filter(field => next.spec[field] !== pod['spec'][field])
    .map(field => ({ op: 'add', path: `/spec/${field}`, value: next.spec[field] }));
  const response = {
    uid: request.uid,
    allowed: true,
    ...(patch.length > 0 && {
      patchType: 'JSONPatch',
      patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
    }),
  };
  return {
    status: 200,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ apiVersion, kind: 'AdmissionReview', response }),
  };
}
