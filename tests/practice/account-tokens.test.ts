// Secrets that hold a service account's token for good, as tools outside the cluster still use them.

import { test } from 'node:test';
import { NO_KUBECTL, sharedCluster } from '../support/practice.ts';
import { transcript } from '../support/transcript.ts';

const cluster = sharedCluster();

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
