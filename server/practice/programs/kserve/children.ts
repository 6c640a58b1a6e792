// What an InferenceService becomes in RawDeployment mode: a Deployment, a Service, an autoscaler and, when it is ready, an
// Ingress. Knows no cluster.

import type { KubeObject } from '../../../kube/index.ts';
import { controlledBy } from '../operator/index.ts';
import { LABEL, SERVER, SOURCE } from './kinds.ts';
import { containerFor } from './runtimes.ts';

const PORT = 8080;
/** The autoscaler's goal where nothing else is said, in per cent. */
const CPU_GOAL = 80;
const POD_ONLY = new Set([
  'model',
  'minReplicas',
  'maxReplicas',
  'scaleTarget',
  'scaleMetric',
  'containerConcurrency',
  'timeout',
  'canaryTrafficPercent',
  'logger',
  'batcher',
  'annotations',
  'labels',
  'deploymentStrategy',
  'autoScaling',
  'workerSpec',
]);

export const predictorName = (service: KubeObject) => `${service.metadata.name}-predictor`;
const appOf = (service: KubeObject) => `isvc.${predictorName(service)}`;

/** The hosts under which it is reached from outside: of the whole, and of its predictor. */
export function hostsOf(service: KubeObject, domain: string): { service: string; predictor: string } {
  const { name, namespace } = service.metadata;
  return {
    service: `${name}-${namespace}.${domain}`,
    predictor: `${predictorName(service)}-${namespace}.${domain}`,
  };
}

function metadata(service: KubeObject) {
  const { annotations = {}, labels = {}, namespace } = service.metadata;
  const passed = Object.entries(annotations).filter(([key]) => !key.startsWith('kubectl.kubernetes.io/'));
  return {
    name: predictorName(service),
    namespace: namespace ?? 'default',
    annotations: Object.fromEntries(passed),
    labels: {
      ...labels,
      app: appOf(service),
      component: 'predictor',
      [LABEL]: service.metadata.name,
    },
    ownerReferences: [controlledBy(service)],
  };
}

/** The pod of the predictor: the runtime's container, or what the learner wrote. */
function podOf(service: KubeObject, runtime: any): any {
  const { predictor } = service['spec'];
  const own = Object.fromEntries(Object.entries(predictor).filter(([key]) => !POD_ONLY.has(key)));
  const { containers: _shared, ...ofRuntime } = runtime
    ? Object.fromEntries(
        Object.entries(runtime.spec).filter(([key]) =>
          ['containers', 'volumes', 'tolerations'].includes(key),
        ),
      )
    : ({} as any);
  const containers = predictor.model
    ? [containerFor(service.metadata.name, predictor.model, runtime)]
    : predictor.containers;
  return { ...ofRuntime, ...own, containers: containers.map(withProbe) };
}

function withProbe(container: any): any {
  if (container.readinessProbe || container.name !== SERVER) return container;
  const port = container.ports?.[0]?.containerPort ?? PORT;
  const readinessProbe = {
    tcpSocket: { port },
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  };
  return { ...container, readinessProbe };
}

export function deploymentOf(service: KubeObject, runtime: any): KubeObject {
  const meta = metadata(service);
  const { predictor } = service['spec'];
  const source = predictor.model?.storageUri;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: meta,
    spec: {
      selector: { matchLabels: { app: meta.labels.app } },
      strategy: predictor.deploymentStrategy ?? {
        type: 'RollingUpdate',
        rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' },
      },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      template: {
        metadata: {
          labels: meta.labels,
          annotations: { ...meta.annotations, ...(source && { [SOURCE]: source }) },
        },
        spec: podOf(service, runtime),
      },
    },
  };
}

export function serviceOf(service: KubeObject, container: any): KubeObject {
  const port = container?.ports?.[0];
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(service),
    spec: {
      selector: { app: appOf(service) },
      ports: [
        {
          name: port?.name ?? predictorName(service),
          port: 80,
          protocol: 'TCP',
          targetPort: port?.containerPort ?? PORT,
        },
      ],
    },
  };
}

export function autoscalerOf(service: KubeObject): KubeObject {
  const {
    minReplicas = 1,
    maxReplicas = 0,
    scaleTarget = CPU_GOAL,
    scaleMetric = 'cpu',
  } = service['spec'].predictor;
  const least = Math.max(1, minReplicas);
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: metadata(service),
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: predictorName(service) },
      minReplicas: least,
      maxReplicas: Math.max(least, maxReplicas),
      metrics: [
        {
          type: 'Resource',
          resource: {
            name: scaleMetric,
            target: { type: 'Utilization', averageUtilization: scaleTarget },
          },
        },
      ],
    },
  };
}

export function ingressOf(service: KubeObject, domain: string, className: string): KubeObject {
  const { name, namespace, labels = {}, annotations = {} } = service.metadata;
  const backend = { service: { name: predictorName(service), port: { number: 80 } } };
  const rule = (host: string) => ({
    host,
    http: { paths: [{ path: '/', pathType: 'Prefix', backend }] },
  });
  const hosts = hostsOf(service, domain);
  const passed = Object.entries(annotations).filter(([key]) => !key.startsWith('kubectl.kubernetes.io/'));
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name,
      namespace: namespace ?? 'default',
      labels,
      annotations: Object.fromEntries(passed),
      ownerReferences: [controlledBy(service)],
    },
    spec: { ingressClassName: className, rules: [rule(hosts.service), rule(hosts.predictor)] },
  };
}
