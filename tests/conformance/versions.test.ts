// The same few commands through every kubectl from 1.29 on that lies beside the one on the PATH.

import { test } from 'node:test';
import { KUBECTL_VERSIONS, sharedCluster } from '../support/practice.ts';
import { transcript } from '../support/transcript.ts';

const cluster = sharedCluster({ controlPlaneOnly: true });
const skip = KUBECTL_VERSIONS.size === 0 ? 'no kubectl.1.NN beside kubectl on the PATH' : false;

test('every kubectl creates, applies, patches, explains and deletes', { skip }, async t => {
  const shared = await cluster();
  for (const [version, kubectl] of KUBECTL_VERSIONS) {
    await t.test(`kubectl ${version}`, () =>
      transcript(shared, commands(`v${version.replace('.', '-')}`), { kubectl }),
    );
  }
});

const manifest = (value: string) =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { k: value } });

const commands = (namespace: string) => `
  $ kubectl version 2>/dev/null | tail -1
  Server Version: v1.36.2

  $ kubectl create ns ${namespace}
  namespace/${namespace} created

  $ kubectl create cm b -n ${namespace} --from-literal=y=2
  configmap/b created

  $ echo '${manifest('v')}' | kubectl apply -n ${namespace} -f -
  configmap/c created

  $ echo '${manifest('w')}' | kubectl apply -n ${namespace} -f -
  configmap/c configured

  $ echo '${manifest('x')}' | kubectl apply --server-side --force-conflicts -n ${namespace} -f -
  configmap/c serverside-applied

  $ echo '${manifest('y').replace('"data"', '"dta"')}' | kubectl apply -n ${namespace} -f - 2>&1 | grep -o 'unknown field "dta"'
  unknown field "dta"

  $ kubectl label cm c -n ${namespace} a=b
  configmap/c labeled

  $ kubectl patch cm c -n ${namespace} --type=merge -p '{bad'
  Error from server (BadRequest): error decoding patch: invalid character 'b' looking for beginning of object key string
  [exit 1]

  $ kubectl create deploy d -n ${namespace} --image=nginx
  deployment.apps/d created

  $ kubectl explain deployment.spec.replicas | grep FIELD
  FIELD: replicas <integer>

  $ kubectl auth whoami | head -2
  ATTRIBUTE   VALUE
  Username    minikube-user

  $ kubectl delete cm b c -n ${namespace}
  configmap "b" deleted…
  configmap "c" deleted…
`;
