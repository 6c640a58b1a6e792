// Istio's injector as its 1.23 installs it: which new pods istiod is asked about. Knows no baseline.

import type { KubeObject } from '../../kube/index.ts';

const key = 'sidecar.istio.io/inject';
const rule = (name: string, operator: string, ...values: string[]) => ({
  key: name,
  operator,
  ...(values.length > 0 && { values }),
});
const absent = (name: string) => rule(name, 'DoesNotExist');

/** Four questions with one answer: by revision or plainly, said of the namespace or of the pod. */
const HOOKS = {
  'rev.namespace': {
    namespace: [rule('istio.io/rev', 'In', 'default'), absent('istio-injection')],
    pod: [rule(key, 'NotIn', 'false')],
  },
  'rev.object': {
    namespace: [absent('istio.io/rev'), absent('istio-injection')],
    pod: [rule(key, 'NotIn', 'false'), rule('istio.io/rev', 'In', 'default')],
  },
  namespace: {
    namespace: [rule('istio-injection', 'In', 'enabled')],
    pod: [rule(key, 'NotIn', 'false')],
  },
  object: {
    namespace: [absent('istio-injection'), absent('istio.io/rev')],
    pod: [rule(key, 'In', 'true'), absent('istio.io/rev')],
  },
};

/** While istiod does not answer, pods it should be asked about are refused. */
export const sidecarInjector: KubeObject = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  metadata: {
    name: 'istio-sidecar-injector',
    labels: { app: 'sidecar-injector', 'istio.io/rev': 'default', release: 'istio' },
  },
  webhooks: Object.entries(HOOKS).map(([name, { namespace, pod }]) => ({
    name: `${name}.sidecar-injector.istio.io`,
    admissionReviewVersions: ['v1'],
    clientConfig: { service: { name: 'istiod', namespace: 'istio-system', path: '/inject', port: 443 } },
    failurePolicy: 'Fail',
    namespaceSelector: { matchExpressions: namespace },
    objectSelector: { matchExpressions: pod },
    reinvocationPolicy: 'Never',
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
    sideEffects: 'None',
  })),
};
