// NetworkPolicies through kubectl: stored and without effect by default, as on minikube; enforced where the cluster is told to.

import { test } from 'node:test';
import { NO_KUBECTL, sharedCluster, type TestCluster } from '../support/practice.ts';
import { transcript } from '../support/transcript.ts';

const plain = sharedCluster();
const enforcing = sharedCluster({ networkPolicy: true });

const setUp = async (cluster: TestCluster) => {
  await transcript(
    cluster,
    `
    $~ kubectl get serviceaccount default --no-headers -o name
    serviceaccount/default

    $ kubectl run web --image=nginx:1.27 --port=80 --expose >/dev/null && kubectl run client --image=busybox:1.36 --labels=role=client -- sleep 3600
    pod/client created

    $ kubectl wait --for=condition=Ready pod/web pod/client --timeout=60s >/dev/null; echo $?
    0

    $~ kubectl exec client -- nc -z -w 1 web 80; echo $?
    0

    $ kubectl apply -f - <<'Y'
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: { name: nobody }
    spec: { podSelector: { matchLabels: { run: web } } }
    Y
    networkpolicy.networking.k8s.io/nobody created
    `,
  );
};

test('a policy is only stored by default', { skip: NO_KUBECTL }, async () => {
  await setUp(await plain());
  await transcript(
    await plain(),
    `
    $ kubectl exec client -- wget -q -T 5 -O /dev/null web; echo $?
    0
    `,
  );
});

test('an enforced policy drops what it does not let in', { skip: NO_KUBECTL }, async () => {
  await setUp(await enforcing());
  await transcript(
    await enforcing(),
    `
    $ kubectl exec client -- wget -q -T 1 -O /dev/null web 2>&1
    wget: download timed out
    command terminated with exit code 1
    [exit 1]

    $ kubectl get pod web -o jsonpath='{.status.containerStatuses[0].ready}'
    true

    $ kubectl patch networkpolicy nobody --type=merge -p '{"spec":{"ingress":[{"from":[{"podSelector":{"matchLabels":{"role":"client"}}}],"ports":[{"port":80}]}]}}'
    networkpolicy.networking.k8s.io/nobody patched

    $ kubectl exec client -- wget -q -T 5 -O /dev/null web; echo $?
    0
    `,
  );
});

test('a policy takes effect while the agent of a network plugin runs', { skip: NO_KUBECTL }, async () => {
  await transcript(
    await plain(),
    `
    $ kubectl apply -f - <<'Y'
    apiVersion: apps/v1
    kind: DaemonSet
    metadata: { name: calico-node, namespace: kube-system }
    spec:
      selector: { matchLabels: { k8s-app: calico-node } }
      template:
        metadata: { labels: { k8s-app: calico-node } }
        spec:
          hostNetwork: true
          tolerations: [{ operator: Exists }]
          initContainers: [{ name: install-cni, image: "docker.io/calico/cni:v3.30.0" }]
          containers: [{ name: calico-node, image: "docker.io/calico/node:v3.30.0" }]
    Y
    daemonset.apps/calico-node created

    $ kubectl -n kube-system rollout status daemonset calico-node --timeout=60s | tail -1
    daemon set "calico-node" successfully rolled out

    $~ kubectl exec client -- wget -q -T 1 -O /dev/null web 2>&1
    wget: download timed out
    command terminated with exit code 1
    [exit 1]

    $ kubectl -n kube-system delete daemonset calico-node -o name
    daemonset.apps/calico-node

    $~ kubectl exec client -- wget -q -T 1 -O /dev/null web; echo $?
    0
    `,
  );
});

test('a pod that may send nothing cannot ask for names', { skip: NO_KUBECTL }, async () => {
  await transcript(
    await enforcing(),
    `
    $ kubectl apply -f - <<'Y'
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: { name: silent }
    spec: { podSelector: { matchLabels: { role: client } }, policyTypes: [Egress] }
    Y
    networkpolicy.networking.k8s.io/silent created

    $ kubectl exec client -- nslookup web
    ;; connection timed out; no servers could be reached

    command terminated with exit code 1
    [exit 1]
    `,
  );
});
