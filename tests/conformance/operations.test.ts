// What people do to a running cluster with kubectl beyond get and apply: debug, resize, approve, kustomize, wait, delete many.

import { test } from 'node:test';
import { NO_KUBECTL, sharedCluster } from '../support/practice.ts';
import { transcript } from '../support/transcript.ts';

const cluster = sharedCluster();
const skip = NO_KUBECTL;
const type = async (text: string) => transcript(await cluster(), text);

test('a pod is resized in place, within its quality of service', { skip }, () =>
  type(`
    $ kubectl create ns resized
    namespace/resized created

    $~ kubectl -n resized apply -f - <<'Y'
    apiVersion: v1
    kind: Pod
    metadata: {name: web}
    spec:
      containers:
      - name: c
        image: nginx:1.27
        resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {cpu: 200m, memory: 128Mi}}
    Y
    pod/web …

    $ kubectl -n resized wait --for=condition=Ready pod/web --timeout=60s
    pod/web condition met

    $ kubectl -n resized patch pod web --subresource resize -p '{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"150m"},"limits":{"cpu":"300m"}}}]}}'
    pod/web patched

    $~ kubectl -n resized get pod web -o 'jsonpath={.status.containerStatuses[0].resources} {.status.containerStatuses[0].restartCount}'
    {"limits":{"cpu":"300m","memory":"128Mi"},"requests":{"cpu":"150m","memory":"64Mi"}} 0

    $ kubectl -n resized patch pod web --subresource resize -p '{"spec":{"containers":[{"name":"c","image":"busybox"}]}}'
    pod/web patched (no change)

    $ kubectl -n resized patch pod web --subresource resize -p '{"spec":{"containers":[{"name":"c","resources":{"limits":{"memory":null}}}]}}'
    The Pod "web" is invalid: spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed
    [exit 1]

    $ kubectl -n resized patch pod web --subresource resize -p '{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"300m","memory":"128Mi"}}}]}}'
    The Pod "web" is invalid: spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing
    [exit 1]

    $ kubectl -n resized patch pod web --subresource resize -p '{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"400m"}}}]}}'
    The Pod "web" is invalid: spec.containers[0].resources.requests: Invalid value: "400m": must be less than or equal to cpu limit of 300m
    [exit 1]
  `),
);

test('debug adds a container, copies a pod and enters a node', { skip }, () =>
  type(`
    $ kubectl -n resized debug web --image=busybox:1.36 -c dbg --target=c --profile=general -- sleep 1000
    Targeting container "c". If you don't see processes from this container it may be because the container runtime doesn't support this feature.

    $~ kubectl -n resized get pod web -o 'jsonpath={.spec.ephemeralContainers[*].targetContainerName} {.status.ephemeralContainerStatuses[*].state}'
    c {"running":{"startedAt":"…"}}

    $ kubectl -n resized exec web -c dbg -- echo hi
    hi

    $ kubectl -n resized patch pod web --subresource ephemeralcontainers -p '{"spec":{"ephemeralContainers":[{"name":"dbg","image":"other"}]}}'
    The Pod "web" is invalid: spec.ephemeralContainers: Forbidden: existing ephemeral containers "dbg" may not be changed
    ...
    [exit 1]

    $ kubectl -n resized debug web --image=busybox:1.36 --copy-to=copy --share-processes -c extra --profile=general -- sleep 1000

    $ kubectl -n resized wait --for=condition=Ready pod/copy --timeout=60s
    pod/copy condition met

    $ kubectl -n resized get pod copy -o 'jsonpath={.spec.shareProcessNamespace} {.spec.containers[*].name}'
    true c extra

    $ kubectl -n resized debug web --copy-to=newer --set-image=c=nginx:1.28 --profile=general

    $ kubectl -n resized get pod newer -o 'jsonpath={.spec.containers[*].image}'
    nginx:1.28

    $ kubectl -n resized debug $(kubectl get nodes -o name | head -1) --image=busybox:1.36 --profile=general -- sleep 1000
    Creating debugging pod node-debugger-… with container debugger on node ….

    $~ kubectl -n resized get pods -o 'jsonpath={range .items[?(@.spec.hostNetwork==true)]}{.spec.hostPID} {.spec.volumes[?(@.hostPath)].hostPath.path} {.status.phase}{"\\n"}{end}'
    true / Running

    $ kubectl delete ns resized --wait=false
    namespace "resized" deleted
  `),
);

test('a signing request is approved, signed, and lets its owner in', { skip }, () =>
  type(`
    $ openssl genrsa -out u.key 2048 2>/dev/null; openssl req -new -key u.key -subj "/CN=ali/O=readers" -out u.csr

    $ kubectl apply -f - <<Y
    apiVersion: certificates.k8s.io/v1
    kind: CertificateSigningRequest
    metadata: {name: ali}
    spec: {request: $(base64 -w0 u.csr), signerName: kubernetes.io/kube-apiserver-client, expirationSeconds: 86400, usages: [client auth]}
    Y
    certificatesigningrequest.certificates.k8s.io/ali created

    $ kubectl get csr ali
    NAME   AGE   SIGNERNAME                            REQUESTOR   REQUESTEDDURATION   CONDITION
    ali    …     kubernetes.io/kube-apiserver-client   …           24h                 Pending

    $ kubectl certificate approve ali
    certificatesigningrequest.certificates.k8s.io/ali approved

    $~ kubectl get csr ali --no-headers
    ali    …     kubernetes.io/kube-apiserver-client   …           24h                 Approved,Issued

    $ kubectl get csr ali -o jsonpath={.status.certificate} | base64 -d > u.crt; openssl x509 -in u.crt -noout -ext extendedKeyUsage
    X509v3 Extended Key Usage: 
        TLS Web Client Authentication

    $ kubectl config view --raw --flatten -o 'jsonpath={.clusters[0].cluster.certificate-authority-data}' | base64 -d > ca.crt; kubectl --kubeconfig=/dev/null --server=$(kubectl config view --minify -o 'jsonpath={.clusters[0].cluster.server}') --certificate-authority=ca.crt --client-certificate=u.crt --client-key=u.key auth whoami | head -3
    ATTRIBUTE   VALUE
    Username    ali
    Groups      [readers system:authenticated]

    $ kubectl certificate deny ali
    error: …
    [exit 1]

    $ kubectl delete csr ali
    certificatesigningrequest.certificates.k8s.io "ali" deleted
  `),
);

test('kustomize is applied, compared and applied again', { skip }, () =>
  type(`
    $ mkdir -p base over; kubectl create deploy kus --image=nginx:1.27 --dry-run=client -o yaml > base/dep.yaml; cat > base/kustomization.yaml <<'Y'
    resources: [dep.yaml]
    configMapGenerator: [{name: conf, literals: [a=b]}]
    Y

    $ cat > over/kustomization.yaml <<'Y'
    resources: [../base]
    namePrefix: my-
    namespace: kustomized
    labels: [{pairs: {team: blue}, includeSelectors: true}]
    replicas: [{name: kus, count: 2}]
    Y

    $ kubectl create ns kustomized
    namespace/kustomized created

    $ kubectl kustomize over | kubectl apply -f -
    configmap/my-conf-4h2mbtbbt6 created
    deployment.apps/my-kus created

    $ kubectl diff -k over

    $ sed -i 's/count: 2/count: 3/' over/kustomization.yaml; kubectl diff -k over > changes; echo "exit $?"; grep '^[+-] .*replicas' changes
    exit 1
    -  replicas: 2
    +  replicas: 3

    $ kubectl apply -k over
    configmap/my-conf-4h2mbtbbt6 unchanged
    deployment.apps/my-kus configured

    $ kubectl -n kustomized get deploy my-kus -o 'jsonpath={.spec.replicas} {.spec.selector.matchLabels}'
    3 {"app":"kus","team":"blue"}

    $ kubectl delete -k over
    configmap "my-conf-4h2mbtbbt6" deleted…
    deployment.apps "my-kus" deleted…

    $ kubectl delete ns kustomized --wait=false
    namespace "kustomized" deleted
  `),
);

test('wait looks at conditions, paths, coming and going; events are told of one object', { skip }, () =>
  type(`
    $ kubectl create ns waiting
    namespace/waiting created

    $ kubectl -n waiting create deploy w --image=nginx:1.27
    deployment.apps/w created

    $ kubectl -n waiting wait --for=create pod -l app=w --timeout=10s
    pod/w-… condition met

    $ kubectl -n waiting wait --for=jsonpath='{.status.readyReplicas}'=1 deploy/w --timeout=60s
    deployment.apps/w condition met

    $ kubectl -n waiting wait --for=jsonpath='{.status.readyReplicas}'=3 deploy/w --timeout=1s
    error: timed out waiting for the condition on deployments/w
    [exit 1]

    $ kubectl -n waiting wait --for=condition=Available=false deploy/w --timeout=1s
    error: timed out waiting for the condition on deployments/w
    [exit 1]

    $ kubectl -n waiting events --for deployment/w
    LAST SEEN   TYPE     REASON              OBJECT         MESSAGE
    …           Normal   ScalingReplicaSet   Deployment/w   Scaled up replica set w-… from 0 to 1

    $ kubectl -n waiting events --for deployment/other
    No events found in waiting namespace.

    $ kubectl delete ns waiting --wait=false
    namespace "waiting" deleted

    $ kubectl wait --for=delete ns/waiting --timeout=60s
    namespace/waiting condition met
  `),
);

test('many are deleted by their labels, and nothing else', { skip }, () =>
  type(`
    $ kubectl create ns many; for n in a b c; do kubectl -n many create cm $n; done; kubectl -n many label cm a b group=1
    namespace/many created
    configmap/a created
    configmap/b created
    configmap/c created
    configmap/a labeled
    configmap/b labeled

    $ kubectl delete --raw '/api/v1/namespaces/many/configmaps?labelSelector=group%3D1' | grep -o '"kind":"ConfigMapList"'
    "kind":"ConfigMapList"

    $ kubectl -n many get cm --field-selector metadata.name!=kube-root-ca.crt
    NAME   DATA   AGE
    c      0      …

    $ kubectl -n many delete cm --all | grep '"c"'
    configmap "c" deleted…

    $ kubectl delete ns many --wait=false
    namespace "many" deleted
  `),
);

test('custom objects are selected by the fields that their definition names', { skip }, () =>
  type(`
    $ kubectl create ns shirts; kubectl apply -f - <<'Y'
    apiVersion: apiextensions.k8s.io/v1
    kind: CustomResourceDefinition
    metadata: {name: shirts.wear.example.com}
    spec:
      group: wear.example.com
      scope: Namespaced
      names: {plural: shirts, singular: shirt, kind: Shirt}
      versions:
      - name: v1
        served: true
        storage: true
        selectableFields: [{jsonPath: .spec.color}, {jsonPath: .spec.size}]
        additionalPrinterColumns: [{jsonPath: .spec.color, name: Color, type: string}]
        schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {color: {type: string}, size: {type: string}}}}}}
    Y
    namespace/shirts created
    customresourcedefinition.apiextensions.k8s.io/shirts.wear.example.com created

    $ kubectl wait --for=condition=Established crd/shirts.wear.example.com --timeout=20s
    customresourcedefinition.apiextensions.k8s.io/shirts.wear.example.com condition met

    $~ for s in a:blue:L b:red:L c:blue:S; do IFS=: read n c z <<< $s; echo "{apiVersion: wear.example.com/v1, kind: Shirt, metadata: {name: $n, namespace: shirts}, spec: {color: $c, size: $z}}"; echo ---; done | kubectl apply -f -
    shirt.wear.example.com/a …
    shirt.wear.example.com/b …
    shirt.wear.example.com/c …

    $ kubectl -n shirts get shirts --field-selector spec.color=blue
    NAME   COLOR
    a      blue
    c      blue

    $ kubectl -n shirts get shirts --field-selector spec.color=blue,spec.size!=L
    NAME   COLOR
    c      blue

    $ kubectl -n shirts get shirts --field-selector spec.nope=x
    Error from server (BadRequest): Unable to find "wear.example.com/v1, Resource=shirts" that match label selector "", field selector "spec.nope=x": field label not supported: spec.nope
    [exit 1]

    $ kubectl delete crd shirts.wear.example.com
    customresourcedefinition.apiextensions.k8s.io "shirts.wear.example.com" deleted

    $ kubectl delete ns shirts --wait=false
    namespace "shirts" deleted
  `),
);

test('a flow schema says whether its level is there', { skip }, () =>
  type(`
    $ kubectl apply -f - <<'Y'
    apiVersion: flowcontrol.apiserver.k8s.io/v1
    kind: FlowSchema
    metadata: {name: mine}
    spec: {priorityLevelConfiguration: {name: my-level}, matchingPrecedence: 9999}
    Y
    flowschema.flowcontrol.apiserver.k8s.io/mine created

    $~ kubectl get flowschema mine
    NAME   PRIORITYLEVEL   MATCHINGPRECEDENCE   DISTINGUISHERMETHOD   AGE   MISSINGPL
    mine   my-level        9999                 <none>                …     True

    $ kubectl get flowschema mine -o 'jsonpath={.status.conditions[0].reason}: {.status.conditions[0].message}'
    NotFound: This FlowSchema references the PriorityLevelConfiguration object named "my-level" but there is no such object

    $ kubectl apply -f - <<'Y'
    apiVersion: flowcontrol.apiserver.k8s.io/v1
    kind: PriorityLevelConfiguration
    metadata: {name: my-level}
    spec: {type: Limited, limited: {nominalConcurrencyShares: 1, limitResponse: {type: Reject}}}
    Y
    prioritylevelconfiguration.flowcontrol.apiserver.k8s.io/my-level created

    $~ kubectl get flowschema mine --no-headers
    mine   my-level        9999                 <none>                …     False

    $ kubectl delete flowschema mine; kubectl delete prioritylevelconfiguration my-level
    flowschema.flowcontrol.apiserver.k8s.io "mine" deleted
    prioritylevelconfiguration.flowcontrol.apiserver.k8s.io "my-level" deleted
  `),
);

test('both versions of the autoscaler are explained as themselves', { skip }, () =>
  type(`
    $ kubectl explain hpa.spec --api-version=autoscaling/v1 | grep -E 'VERSION|<integer>'
    VERSION:    v1
    ...
      targetCPUUtilizationPercentage	<integer>

    $ kubectl explain hpa.spec.metrics | grep -E 'VERSION|FIELD:'
    VERSION:    v2
    FIELD: metrics <[]MetricSpec>
  `),
);
