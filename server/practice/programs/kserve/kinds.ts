// The kinds that KServe's controllers deal with. Knows no behaviour.

import { watched } from '../operator/index.ts';

const GROUP = 'serving.kserve.io';

export const INFERENCE_SERVICE = watched(`${GROUP}/v1beta1`, 'InferenceService');
export const alpha = (kind: string) => watched(`${GROUP}/v1alpha1`, kind);
export const SERVING_RUNTIME = alpha('ServingRuntime');
export const CLUSTER_SERVING_RUNTIME = alpha('ClusterServingRuntime');
export const DEPLOYMENT = watched('apps/v1', 'Deployment');
export const SERVICE = watched('v1', 'Service');
export const POD = watched('v1', 'Pod');
export const CONFIG_MAP = watched('v1', 'ConfigMap');
export const AUTOSCALER = watched('autoscaling/v2', 'HorizontalPodAutoscaler');
export const INGRESS = watched('networking.k8s.io/v1', 'Ingress', 'ingresses');

/** The ConfigMap with the settings of the whole installation. */
export const CONFIG = 'inferenceservice-config';
export const LABEL = 'serving.kserve.io/inferenceservice';
/** On a pod: where its model comes from, for the webhook. */
export const SOURCE = 'internal.serving.kserve.io/storage-initializer-sourceuri';
/** The container that serves. */
export const SERVER = 'kserve-container';
export const INITIALIZER = 'storage-initializer';
/** Where a server finds its model. */
export const MODELS = '/mnt/models';
