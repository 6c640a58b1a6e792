// What a Notebook becomes: a StatefulSet of one pod, a Service in front of it and, with Istio, a route to the gateway.
// Pure: knows no API.

import type { KubeObject } from '../../../kube/index.ts';
import { controlledBy } from '../operator/index.ts';

/** Its presence stops a notebook; its value is the time at which that happened. */
const STOPPED = 'kubeflow-resource-stopped';
const PORT = 8888;
const SERVICE_PORT = 80;
/** The group that the images' home folder belongs to. */
const GROUP = 100;

const metaOf = ({ metadata }: KubeObject, owner: KubeObject) => ({
  name: metadata.name,
  ...(metadata.namespace && { namespace: metadata.namespace }),
  ownerReferences: [controlledBy(owner)],
});
const prefixOf = ({ metadata }: KubeObject) => `/notebook/${metadata.namespace}/${metadata.name}`;

export function statefulSetOf(notebook: KubeObject, addGroup: boolean): KubeObject {
  const { name, annotations = {}, labels = {} } = notebook.metadata;
  const spec = structuredClone(notebook['spec']?.template?.spec ?? {});
  const [first] = spec.containers;
  first.workingDir ||= '/home/jovyan';
  first.ports ??= [{ containerPort: PORT, name: 'notebook-port', protocol: 'TCP' }];
  const own = (first.env ?? []).filter((variable: { name: string }) => variable.name !== 'NB_PREFIX');
  first.env = [...own, { name: 'NB_PREFIX', value: prefixOf(notebook) }];
  if (addGroup) spec.securityContext ??= { fsGroup: GROUP };
  const kept = Object.entries(annotations).filter(([key]) => !/kubectl|notebook/.test(key));
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: metaOf(notebook, notebook),
    spec: {
      replicas: STOPPED in annotations ? 0 : 1,
      selector: { matchLabels: { statefulset: name } },
      serviceName: '',
      template: {
        metadata: {
          labels: { statefulset: name, 'notebook-name': name, ...labels },
          ...(kept.length > 0 && { annotations: Object.fromEntries(kept) }),
        },
        spec,
      },
    },
  };
}

export function serviceOf(notebook: KubeObject): KubeObject {
  const { name } = notebook.metadata;
  const [first] = notebook['spec']?.template?.spec?.containers ?? [];
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metaOf(notebook, notebook),
    spec: {
      type: 'ClusterIP',
      selector: { statefulset: name },
      // Istio tells what a port speaks by the beginning of its name.
      ports: [
        {
          name: `http-${name}`,
          port: SERVICE_PORT,
          protocol: 'TCP',
          targetPort: first?.ports?.[0]?.containerPort ?? PORT,
        },
      ],
    },
  };
}

export function virtualServiceOf(notebook: KubeObject, gateway: string): KubeObject {
  const { name, namespace, annotations = {} } = notebook.metadata;
  const uri = `${prefixOf(notebook)}/`;
  return {
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'VirtualService',
    metadata: { ...metaOf(notebook, notebook), name: `notebook-${namespace}-${name}` },
    spec: {
      hosts: ['*'],
      gateways: [gateway],
      http: [
        {
          match: [{ uri: { prefix: uri } }],
          rewrite: { uri: annotations['notebooks.kubeflow.org/http-rewrite-uri'] || uri },
          route: [
            {
              destination: {
                host: `${name}.${namespace}.svc.cluster.local`,
                port: { number: SERVICE_PORT },
              },
            },
          ],
        },
      ],
    },
  };
}
