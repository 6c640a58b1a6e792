// istiod's webhook through the API server: pods of a labelled namespace get Istio's proxy, as on any cluster with Istio.

import { test } from 'node:test';
import { NO_KUBECTL, sharedCluster } from '../support/practice.ts';
import { transcript } from '../support/transcript.ts';

const cluster = sharedCluster({ nodes: [{ name: 'minikube', cpus: '8', memory: '16Gi' }] });

test('pods of a labelled namespace get a sidecar while istiod answers, and are refused while it does not', {
  skip: NO_KUBECTL,
}, async () => {
  await transcript(
    await cluster(),
    `
    $ kubectl create namespace istio-system && kubectl create namespace mesh && kubectl label namespace mesh istio-injection=enabled
    namespace/istio-system created
    namespace/mesh created
    namespace/mesh labeled

    $ kubectl -n istio-system create deployment istiod --image=docker.io/istio/pilot:1.23.2 --replicas=0
    deployment.apps/istiod created

    $ kubectl -n istio-system expose deployment istiod --port=443 --target-port=15017
    service/istiod exposed

    $ kubectl -n istio-system create service clusterip istiod-xds --tcp=15012 >/dev/null; kubectl apply -f - <<'Y'
    apiVersion: admissionregistration.k8s.io/v1
    kind: MutatingWebhookConfiguration
    metadata: { name: istio-sidecar-injector }
    webhooks:
      - name: namespace.sidecar-injector.istio.io
        admissionReviewVersions: [v1]
        clientConfig: { service: { name: istiod, namespace: istio-system, path: /inject, port: 443 } }
        namespaceSelector: { matchExpressions: [{ key: istio-injection, operator: In, values: [enabled] }] }
        objectSelector: { matchExpressions: [{ key: sidecar.istio.io/inject, operator: NotIn, values: ["false"] }] }
        rules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods] }]
        sideEffects: None
    Y
    mutatingwebhookconfiguration.admissionregistration.k8s.io/istio-sidecar-injector created

    $~ kubectl -n mesh run refused --image=busybox:1.36 -- sleep 3600
    Error from server (InternalError): Internal error occurred: failed calling webhook "namespace.sidecar-injector.istio.io": failed to call webhook: Post "https://istiod.istio-system.svc:443/inject?timeout=10s": no endpoints available for service "istiod"
    [exit 1]

    $ kubectl -n istio-system scale deployment istiod --replicas=1 && kubectl -n istio-system rollout status deployment istiod --timeout=60s | tail -1
    deployment.apps/istiod scaled
    deployment "istiod" successfully rolled out

    $~ kubectl -n mesh run web --image=nginx:1.27
    pod/web created

    $ kubectl -n mesh get pod web -o jsonpath='{.spec.initContainers[*].name} {.spec.containers[*].name} {.spec.containers[1].image}'
    istio-init web istio-proxy docker.io/istio/proxyv2:1.23.2

    $ kubectl -n mesh run plain --image=nginx:1.27 --labels=sidecar.istio.io/inject=false && kubectl -n mesh get pod plain -o jsonpath='{.spec.containers[*].name}'
    pod/plain created
    plain

    $ kubectl -n default run outside --image=nginx:1.27 && kubectl -n default get pod outside -o jsonpath='{.spec.containers[*].name}'
    pod/outside created
    outside
    `,
  );
});
