// Service accounts: those that a new cluster holds, the tokens that secrets hold for good, and the one that a pod calls
// the API with.

import { test } from 'node:test';
import { NO_KUBECTL, sharedCluster } from '../support/practice.ts';
import { transcript } from '../support/transcript.ts';

const cluster = sharedCluster();

test('a new cluster has the accounts of its controllers, and tells who would join where it is', {
  skip: NO_KUBECTL,
}, async () => {
  await transcript(
    await cluster(),
    `
    $~ kubectl -n kube-system get sa -o name | wc -l
    41

    $~ kubectl -n kube-system get sa bootstrap-signer replicaset-controller
    NAME                    AGE
    bootstrap-signer        …
    replicaset-controller   …

    $ kubectl auth can-i create pods -A --as=system:serviceaccount:kube-system:replicaset-controller
    yes

    $ kubectl -n kube-public get cm cluster-info -o jsonpath='{.data.kubeconfig}' > info; kubectl --kubeconfig=info config view -o jsonpath='{.clusters[0].cluster.server}'
    https://control-plane.minikube.internal:8443

    $ ca='{.clusters[0].cluster.certificate-authority-data}'; test "$(kubectl --kubeconfig=info config view --raw -o jsonpath="$ca")" = "$(kubectl config view --raw --minify -o jsonpath="$ca")" && echo the same
    the same
    `,
  );
});

test('a secret that names an account gets its token, which holds until the secret or the account goes', {
  skip: NO_KUBECTL,
}, async () => {
  await transcript(
    await cluster(),
    `
    $ kubectl create serviceaccount robot && kubectl apply -f - <<'Y'
    apiVersion: v1
    kind: Secret
    metadata: { name: robot-token, annotations: { kubernetes.io/service-account.name: robot } }
    type: kubernetes.io/service-account-token
    Y
    serviceaccount/robot created
    secret/robot-token created

    $~ kubectl get secret robot-token
    NAME          TYPE                                  DATA   AGE
    robot-token   kubernetes.io/service-account-token   3      …

    $ test "$(kubectl get secret robot-token -o jsonpath='{.data.namespace}' | base64 -d)" = default && kubectl get secret robot-token -o jsonpath='{.data.ca\\.crt}' | base64 -d | head -1
    -----BEGIN CERTIFICATE-----

    $ kubectl get secret robot-token -o jsonpath='{.data.token}' | base64 -d > token; KUBECONFIG= kubectl --server=$(kubectl config view --minify -o jsonpath='{.clusters[0].cluster.server}') --insecure-skip-tls-verify --token="$(cat token)" auth whoami -o jsonpath='{.status.userInfo.username}'
    system:serviceaccount:default:robot

    $ kubectl delete serviceaccount robot -o name
    serviceaccount/robot

    $~ kubectl get secret robot-token
    Error from server (NotFound): secrets "robot-token" not found
    [exit 1]

    $ KUBECONFIG= kubectl --server=$(kubectl config view --minify -o jsonpath='{.clusters[0].cluster.server}') --insecure-skip-tls-verify --token="$(cat token)" get pods
    error: You must be logged in to the server (Unauthorized)
    [exit 1]

    $ kubectl apply -f - <<'Y'
    apiVersion: v1
    kind: Secret
    metadata: { name: nobodys, annotations: { kubernetes.io/service-account.name: nobody } }
    type: kubernetes.io/service-account-token
    Y
    secret/nobodys created

    $~ kubectl get secret nobodys
    Error from server (NotFound): secrets "nobodys" not found
    [exit 1]
    `,
  );
});

test('a program in a pod calls the API with its token, over TLS that its authority holds good', {
  skip: NO_KUBECTL,
}, async () => {
  await transcript(
    await cluster(),
    `
    $ kubectl create serviceaccount caller && kubectl create role lister --verb=list --resource=pods && kubectl create rolebinding lister --role=lister --serviceaccount=default:caller
    serviceaccount/caller created
    role.rbac.authorization.k8s.io/lister created
    rolebinding.rbac.authorization.k8s.io/lister created

    $ kubectl run caller --image=nginx:1.27 --overrides='{"spec": {"serviceAccountName": "caller"}}' && kubectl wait pod caller --for=condition=Ready --timeout=30s
    pod/caller created
    pod/caller condition met

    $ kubectl exec caller -- sh -c 'cd /var/run/secrets/kubernetes.io/serviceaccount; curl -s --cacert ca.crt -H "Authorization: Bearer $(cat token)" -o /dev/null -w "%{http_code}\\n" https://kubernetes.default.svc/api/v1/namespaces/default/pods'
    200

    $ kubectl exec caller -- sh -c 'cd /var/run/secrets/kubernetes.io/serviceaccount; curl -s --cacert ca.crt -H "Authorization: Bearer $(cat token)" https://kubernetes.default.svc/api/v1/namespaces/default/secrets | grep message'
      "message": "secrets is forbidden: User \\"system:serviceaccount:default:caller\\" cannot list resource \\"secrets\\" in API group \\"\\" in the namespace \\"default\\"",

    $ kubectl exec caller -- curl -s https://kubernetes.default.svc/version
    command terminated with exit code 60
    [exit 60]
    `,
  );
});
