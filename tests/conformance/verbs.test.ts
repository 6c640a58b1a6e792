// Every kubectl verb that a learner types, on a cluster with one node: what it says and what it does.

import { test } from 'node:test';
import { NO_KUBECTL, sharedCluster } from '../support/practice.ts';
import { transcript } from '../support/transcript.ts';

const cluster = sharedCluster();
const skip = NO_KUBECTL;
const type = async (text: string) => transcript(await cluster(), text);

test('version, cluster-info and config tell where one is', { skip }, () =>
  type(`
    $ kubectl version 2>/dev/null
    Client Version: …
    Kustomize Version: …
    Server Version: v1.36.2

    $ kubectl cluster-info | sed 's/\\x1b\\[[0-9;]*m//g' | head -1
    Kubernetes control plane is running at https://127.0.0.1:…

    $ kubectl config current-context
    minikube

    $ kubectl config view -o jsonpath='{.users[0].user.client-key-data}'
    DATA+OMITTED
    `),
);

test('a namespace is created, described, labelled and deleted', { skip }, () =>
  type(`
    $ kubectl create ns team-a
    namespace/team-a created

    $ kubectl get ns team-a --show-labels
    NAME     STATUS   AGE   LABELS
    team-a   Active   …     kubernetes.io/metadata.name=team-a

    $ kubectl describe ns team-a
    Name:         team-a
    Labels:       kubernetes.io/metadata.name=team-a
    Annotations:  <none>
    Status:       Active

    No resource quota.

    No LimitRange resource.

    $~ kubectl get serviceaccount,configmap -n team-a -o name
    serviceaccount/default
    configmap/kube-root-ca.crt

    $ kubectl delete ns team-a
    namespace "team-a" deleted

    $ kubectl get ns team-a
    Error from server (NotFound): namespaces "team-a" not found
    [exit 1]
    `),
);

test('get prints every output form of the same object', { skip }, () =>
  type(`
    $ kubectl create cm forms --from-literal=a=1 --from-literal=b=2
    configmap/forms created

    $ kubectl get cm forms
    NAME    DATA   AGE
    forms   2      …

    $ kubectl get cm/forms -o name
    configmap/forms

    $ kubectl get cm forms -o jsonpath='{.data.a} {.data.b}'
    1 2

    $ kubectl get cm forms -o go-template='{{range $k, $v := .data}}{{$k}}={{$v}};{{end}}'
    a=1;b=2;

    $ kubectl get cm forms -o custom-columns=NAME:.metadata.name,A:.data.a
    NAME    A
    forms   1

    $ kubectl get cm forms -o yaml
    apiVersion: v1
    data:
      a: "1"
      b: "2"
    kind: ConfigMap
    metadata:
      creationTimestamp: …
      name: forms
      namespace: default
      resourceVersion: …
      uid: …

    $ kubectl get cm forms -o json | head -3
    {
        "apiVersion": "v1",
        "data": {

    $ kubectl get cm forms nope
    NAME    DATA   AGE
    forms   2      …
    Error from server (NotFound): configmaps "nope" not found
    [exit 1]
    `),
);

test('selectors choose by label and by field', { skip }, () =>
  type(`
    $ for i in 1 2 3; do kubectl create cm sel-$i --from-literal=n=$i; kubectl label cm sel-$i tier=$((i % 2)) set=sel; done >/dev/null

    $ kubectl get cm -l set=sel,tier=1 -o name
    configmap/sel-1
    configmap/sel-3

    $ kubectl get cm -l 'set=sel,tier notin (1)' -o name
    configmap/sel-2

    $ kubectl get cm -l set=sel --field-selector metadata.name!=sel-2 -o name
    configmap/sel-1
    configmap/sel-3

    $ kubectl get cm -l set=sel -L tier --sort-by=.data.n --no-headers
    sel-1   1   …   1
    sel-2   1   …   0
    sel-3   1   …   1

    $ kubectl get cm -l set=nothing
    No resources found in default namespace.

    $ kubectl get cm -l set=sel --chunk-size=1 -o name
    configmap/sel-1
    configmap/sel-2
    configmap/sel-3
    `),
);

test('a deployment makes a replica set that makes pods that run', { skip }, () =>
  type(`
    $ kubectl create deployment web --image=nginx:1.27 --replicas=2 --port=80
    deployment.apps/web created

    $ kubectl rollout status deployment/web --timeout=20s | tail -1
    deployment "web" successfully rolled out

    $~ kubectl get deployment web
    NAME   READY   UP-TO-DATE   AVAILABLE   AGE
    web    2/2     2            2           …

    $ kubectl get deployment web -o wide
    NAME   READY   UP-TO-DATE   AVAILABLE   AGE   CONTAINERS   IMAGES       SELECTOR
    web    2/2     2            2           …     nginx        nginx:1.27   app=web

    $ kubectl get rs -l app=web
    NAME   DESIRED   CURRENT   READY   AGE
    web-…  2         2         2       …

    $ kubectl get pods -l app=web -o wide --no-headers
    web-…   1/1   Running   0   …   10.244.0.…   minikube   <none>   <none>
    web-…   1/1   Running   0   …   10.244.0.…   minikube   <none>   <none>

    $ kubectl scale deployment web --replicas=1
    deployment.apps/web scaled

    $~ kubectl get pods -l app=web --no-headers
    web-…   1/1   Running   …

    $ kubectl wait --for=condition=Available deployment/web --timeout=10s
    deployment.apps/web condition met

    $ kubectl describe deployment web | grep -E '^(Name|Selector|Replicas|StrategyType):'
    Name:          web
    Selector:      app=web
    Replicas:      1 desired | 1 updated | 1 total | 1 available | 0 unavailable
    StrategyType:  RollingUpdate
    `),
);

test('a rollout moves to a new image, tells its history and goes back', { skip }, () =>
  type(`
    $ kubectl create deployment roll --image=nginx:1.26
    deployment.apps/roll created

    $ kubectl rollout status deployment/roll --timeout=20s | tail -1
    deployment "roll" successfully rolled out

    $ kubectl set image deployment/roll nginx=nginx:1.27
    deployment.apps/roll image updated

    $ kubectl rollout status deployment/roll --timeout=20s | tail -1
    deployment "roll" successfully rolled out

    $ kubectl rollout history deployment/roll
    deployment.apps/roll
    REVISION  CHANGE-CAUSE
    1         <none>
    2         <none>

    $ kubectl rollout undo deployment/roll
    deployment.apps/roll rolled back

    $ kubectl rollout status deployment/roll --timeout=20s | tail -1
    deployment "roll" successfully rolled out

    $ kubectl get deployment roll -o jsonpath='{.spec.template.spec.containers[0].image}'
    nginx:1.26

    $ kubectl rollout restart deployment/roll
    deployment.apps/roll restarted

    $ kubectl get deployment roll -o jsonpath='{.spec.template.metadata.annotations}' | cut -c1-35
    {"kubectl.kubernetes.io/restartedAt

    $ kubectl delete deployment roll
    deployment.apps "roll" deleted…
    `),
);

test('label, annotate, patch, edit and replace change an object', { skip }, () =>
  type(`
    $ kubectl create cm change --from-literal=a=1
    configmap/change created

    $ kubectl label cm change a=b
    configmap/change labeled

    $ kubectl label cm change a=c
    error: 'a' already has a value (b), and --overwrite is false
    [exit 1]

    $ kubectl label cm change a-
    configmap/change unlabeled

    $ kubectl annotate cm change note='two words'
    configmap/change annotated

    $ kubectl patch cm change -p '{"data":{"a":"2"}}'
    configmap/change patched

    $ kubectl patch cm change -p '{"data":{"a":"2"}}'
    configmap/change patched (no change)

    $ kubectl patch cm change --type=json -p '[{"op":"replace","path":"/data/a","value":"3"}]'
    configmap/change patched

    $ kubectl patch cm change --type=merge -p '{bad'
    Error from server (BadRequest): error decoding patch: invalid character 'b' looking for beginning of object key string
    [exit 1]

    $ kubectl edit cm change
    Edit cancelled, no changes made.

    $ printf '#!/bin/sh\\nsed -i "s/^  a:.*/  a: four/" "$1"\\n' > $TMPDIR/editor; chmod +x $TMPDIR/editor; KUBE_EDITOR=$TMPDIR/editor kubectl edit cm change
    configmap/change edited

    $ kubectl get cm change -o jsonpath='{.data.a}'
    four

    $ kubectl get cm change -o yaml | sed 's/resourceVersion: .*/resourceVersion: "1"/' | kubectl replace -f - 2>&1 | sed 's/replacing "[^"]*"/replacing X/'
    Error from server (Conflict): error when replacing X: Operation cannot be fulfilled on configmaps "change": the object has been modified; please apply your changes to the latest version and try again

    $ kubectl delete cm change
    configmap "change" deleted…
    `),
);

test('auth tells what one may do, and tokens speak for service accounts', { skip }, () =>
  type(`
    $ kubectl auth can-i create deployments
    yes

    $ kubectl auth can-i list pods --as=jane
    no
    [exit 1]

    $ kubectl get pods --as=jane
    Error from server (Forbidden): pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"
    [exit 1]

    $ kubectl create role reader --verb=get,list --resource=pods
    role.rbac.authorization.k8s.io/reader created

    $ kubectl create rolebinding reader --role=reader --serviceaccount=default:default
    rolebinding.rbac.authorization.k8s.io/reader created

    $ kubectl auth can-i list pods --as=system:serviceaccount:default:default
    yes

    $ kubectl auth whoami --as=jane --as-group=dev
    ATTRIBUTE   VALUE
    Username    jane
    Groups      [dev system:authenticated]

    $ SERVER=$(kubectl config view -o jsonpath='{.clusters[0].cluster.server}'); kubectl --kubeconfig=/dev/null --server=$SERVER --insecure-skip-tls-verify --token=$(kubectl create token default) auth whoami
    ATTRIBUTE   VALUE
    Username    system:serviceaccount:default:default
    UID         …
    Groups      [system:serviceaccounts system:serviceaccounts:default system:authenticated]
    ...

    $ SERVER=$(kubectl config view -o jsonpath='{.clusters[0].cluster.server}'); kubectl --kubeconfig=/dev/null --server=$SERVER --insecure-skip-tls-verify --token=nope get pods
    error: You must be logged in to the server (Unauthorized)
    [exit 1]
    `),
);

test('drain empties a node and uncordon opens it again', { skip }, () =>
  type(`
    $ kubectl create deployment drained --image=nginx:1.27
    deployment.apps/drained created

    $ kubectl rollout status deployment/drained --timeout=20s | tail -1
    deployment "drained" successfully rolled out

    $ kubectl drain minikube --ignore-daemonsets --pod-selector=app=drained --timeout=20s 2>&1 | head -2
    node/minikube cordoned
    evicting pod default/drained-…

    $ kubectl get node minikube --no-headers
    minikube   Ready,SchedulingDisabled   control-plane   …   v1.36.2

    $~ kubectl get pods -l app=drained --no-headers
    drained-…   0/1   Pending   0   …

    $ kubectl uncordon minikube
    node/minikube uncordoned

    $ kubectl rollout status deployment/drained --timeout=20s | tail -1
    deployment "drained" successfully rolled out
    `),
);

test('a service finds its pods, and expose makes one', { skip }, () =>
  type(`
    $ kubectl create deployment exposed --image=nginx:1.27 --port=80
    deployment.apps/exposed created

    $ kubectl expose deployment exposed --port=80
    service/exposed exposed

    $ kubectl rollout status deployment/exposed --timeout=20s | tail -1
    deployment "exposed" successfully rolled out

    $ kubectl get service exposed
    NAME      TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)   AGE
    exposed   ClusterIP   10.…         <none>        80/TCP    …

    $~ kubectl get endpoints exposed
    Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice
    NAME      ENDPOINTS         AGE
    exposed   10.244.0.…:80     …

    $~ kubectl get endpointslices -l kubernetes.io/service-name=exposed --no-headers
    exposed-…   IPv4   80   10.244.0.…   …

    $ kubectl get --raw /api/v1/namespaces/default/services/exposed/proxy/ | grep -o 'Welcome to nginx' | head -1
    Welcome to nginx
    `),
);

test('taints, cordons and node facts are shown', { skip }, () =>
  type(`
    $ kubectl get nodes -o wide
    NAME       STATUS   ROLES           AGE   VERSION   INTERNAL-IP    EXTERNAL-IP   OS-IMAGE   KERNEL-VERSION   CONTAINER-RUNTIME
    minikube   Ready    control-plane   …     v1.36.2   192.168.49.2   <none>        …          …                containerd://…

    $ kubectl taint node minikube demo=yes:NoSchedule
    node/minikube tainted

    $ kubectl get node minikube -o jsonpath='{.spec.taints}'
    [{"effect":"NoSchedule","key":"demo","value":"yes"}]

    $ kubectl taint node minikube demo-
    node/minikube untainted

    $ kubectl describe node minikube | grep -A4 '^Allocatable:'
    Allocatable:
      cpu: 2
      ephemeral-storage: …
      hugepages-1Gi: 0
      hugepages-2Mi: 0
    `),
);
