// Apply, patch, diff, dry run, delete and finalizers: a recorded v1.36.2, typed again.

import { test } from 'node:test';
import { NO_KUBECTL, sharedCluster } from '../support/practice.ts';
import { transcript } from '../support/transcript.ts';

const cluster = sharedCluster({ controlPlaneOnly: true });
const skip = NO_KUBECTL;

test('client-side apply keeps what it applied, and its fields', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ kubectl create ns demo
    namespace/demo created

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: demo}, data: {x: "1", y: "2"}}
    Y
    configmap/a created

    $ kubectl -n demo get cm a -o yaml --show-managed-fields
    apiVersion: v1
    data:
      "true": "2"
      x: "1"
    kind: ConfigMap
    metadata:
      annotations:
        kubectl.kubernetes.io/last-applied-configuration: |
          {"apiVersion":"v1","data":{"true":"2","x":"1"},"kind":"ConfigMap","metadata":{"annotations":{},"name":"a","namespace":"demo"}}
      creationTimestamp: "…"
      managedFields:
      - apiVersion: v1
        fieldsType: FieldsV1
        fieldsV1:
          f:data:
            .: {}
            f:true: {}
            f:x: {}
          f:metadata:
            f:annotations:
              .: {}
              f:kubectl.kubernetes.io/last-applied-configuration: {}
        manager: kubectl-client-side-apply
        operation: Update
        time: "…"
      name: a
      namespace: demo
      resourceVersion: …
      uid: …

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: demo}, data: {x: "3"}}
    Y
    configmap/a configured

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: demo}, data: {x: "3"}}
    Y
    configmap/a unchanged

    $ kubectl -n demo get cm a -o yaml --show-managed-fields
    apiVersion: v1
    data:
      x: "3"
    kind: ConfigMap
    metadata:
      annotations:
        kubectl.kubernetes.io/last-applied-configuration: |
          {"apiVersion":"v1","data":{"x":"3"},"kind":"ConfigMap","metadata":{"annotations":{},"name":"a","namespace":"demo"}}
      creationTimestamp: "…"
      managedFields:
      - apiVersion: v1
        fieldsType: FieldsV1
        fieldsV1:
          f:data:
            .: {}
            f:x: {}
          f:metadata:
            f:annotations:
              .: {}
              f:kubectl.kubernetes.io/last-applied-configuration: {}
        manager: kubectl-client-side-apply
        operation: Update
        time: "…"
      name: a
      namespace: demo
      resourceVersion: …
      uid: …
    `,
  );
});

test('server-side apply tells conflicts and takes over by force', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ cat <<'Y' | kubectl apply --server-side -f -
    {apiVersion: v1, kind: ConfigMap, metadata: {name: s, namespace: demo}, data: {x: "1"}}
    Y
    configmap/s serverside-applied

    $ cat <<'Y' | kubectl apply --server-side --field-manager=other -f -
    {apiVersion: v1, kind: ConfigMap, metadata: {name: s, namespace: demo}, data: {x: "2"}}
    Y
    error: Apply failed with 1 conflict: conflict with "kubectl": .data.x
    Please review the fields above--they currently have other managers. Here
    are the ways you can resolve this warning:
    * If you intend to manage all of these fields, please re-run the apply
      command with the \`--force-conflicts\` flag.
    * If you do not intend to manage all of the fields, please edit your
      manifest to remove references to the fields that should keep their
      current managers.
    * You may co-own fields by updating your manifest to match the existing
      value; in this case, you'll become the manager if the other manager(s)
      stop managing the field (remove it from their configuration).
    See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts
    [exit 1]

    $ cat <<'Y' | kubectl apply --server-side --field-manager=other --force-conflicts -f -
    {apiVersion: v1, kind: ConfigMap, metadata: {name: s, namespace: demo}, data: {x: "2"}}
    Y
    configmap/s serverside-applied

    $ kubectl -n demo get cm s -o yaml --show-managed-fields
    apiVersion: v1
    data:
      x: "2"
    kind: ConfigMap
    metadata:
      creationTimestamp: "…"
      managedFields:
      - apiVersion: v1
        fieldsType: FieldsV1
        fieldsV1:
          f:data:
            f:x: {}
        manager: other
        operation: Apply
        time: "…"
      name: s
      namespace: demo
      resourceVersion: …
      uid: …
    `,
  );
});

test('server-side apply takes over from client-side apply', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ cat <<'Y' | kubectl apply --server-side -f -
    {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: demo}, data: {x: "9"}}
    Y
    configmap/a serverside-applied

    $ kubectl -n demo get cm a -o yaml --show-managed-fields
    apiVersion: v1
    data:
      x: "9"
    kind: ConfigMap
    metadata:
      annotations:
        kubectl.kubernetes.io/last-applied-configuration: |
          {"apiVersion":"v1","data":{"x":"9"},"kind":"ConfigMap","metadata":{"name":"a","namespace":"demo"}}
      creationTimestamp: "…"
      managedFields:
      - apiVersion: v1
        fieldsType: FieldsV1
        fieldsV1:
          f:metadata:
            f:annotations:
              f:kubectl.kubernetes.io/last-applied-configuration: {}
        manager: kubectl-last-applied
        operation: Apply
      - apiVersion: v1
        fieldsType: FieldsV1
        fieldsV1:
          f:data:
            f:x: {}
        manager: kubectl
        operation: Apply
        time: "…"
      name: a
      namespace: demo
      resourceVersion: …
      uid: …
    `,
  );
});

test('labels, annotations and patches change a deployment or say why not', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ kubectl -n demo create deploy web --image=nginx --replicas=2
    deployment.apps/web created

    $ kubectl -n demo label deploy web a=b
    deployment.apps/web labeled

    $ kubectl -n demo annotate deploy web a=b
    deployment.apps/web annotated

    $ kubectl -n demo label deploy web a=c
    error: 'a' already has a value (b), and --overwrite is false
    [exit 1]

    $ kubectl -n demo label deploy web a-
    deployment.apps/web unlabeled

    $ kubectl -n demo patch deploy web -p '{"spec":{"replicas":1}}'
    deployment.apps/web patched

    $ kubectl -n demo patch deploy web -p '{"spec":{"replicas":1}}'
    deployment.apps/web patched (no change)

    $ kubectl -n demo patch deploy web --type=json -p '[{"op":"remove","path":"/spec/nope"}]'
    The request is invalid: the server rejected our request due to an error in our request
    [exit 1]

    $ kubectl -n demo patch deploy web --type=json -p '[{"op":"test","path":"/spec/replicas","value":5}]'
    The request is invalid: the server rejected our request due to an error in our request
    [exit 1]

    $ kubectl -n demo patch deploy web --type=merge -p '{"spec":{"selector":{"matchLabels":{"z":"z"}}}}'
    The Deployment "web" is invalid: 
    * spec.template.metadata.labels: Invalid value: {"app":"web"}: \`selector\` does not match template \`labels\`
    * spec.selector: Invalid value: {"matchLabels":{"app":"web","z":"z"}}: field is immutable
    [exit 1]

    $ kubectl -n demo patch deploy web --type=merge -p '{bad'
    Error from server (BadRequest): error decoding patch: invalid character 'b' looking for beginning of object key string
    [exit 1]

    $ kubectl -n demo patch deploy web -p '{"spec":{"replicas":"x"}}'
    The request is invalid: patch: Invalid value: "map[spec:map[replicas:x]]": unrecognized type: int32
    [exit 1]
    `,
  );
});

test('diff, dry run and replace check before they write', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ kubectl -n demo diff -f <(kubectl -n demo get cm a -o yaml | sed s/9/8/)
    The ConfigMap "a" is invalid: metadata.uid: …
    [exit 2]

    $ kubectl -n demo create cm dry --from-literal=a=b --dry-run=server -o yaml
    apiVersion: v1
    data:
      a: b
    kind: ConfigMap
    metadata:
      creationTimestamp: "…"
      name: dry
      namespace: demo
      uid: …

    $ kubectl -n demo replace -f <(kubectl -n demo get cm a -o yaml | sed 's/resourceVersion: .*/resourceVersion: "1"/')
    Error from server (Conflict): error when replacing "/dev/fd/63": Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again
    [exit 1]
    `,
  );
});

test('deletion is told, and finalizers hold it back', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ kubectl -n demo delete cm a s
    configmap "a" deleted…
    configmap "s" deleted…

    $ kubectl -n demo delete deploy nope
    Error from server (NotFound): deployments.apps "nope" not found
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: v1, kind: ConfigMap, metadata: {name: fin, namespace: demo, finalizers: [example.com/hold]}}
    Y
    configmap/fin created

    $ kubectl -n demo delete cm fin --wait=false
    configmap "fin" deleted…

    $ kubectl -n demo get cm fin -o yaml
    apiVersion: v1
    kind: ConfigMap
    metadata:
      annotations:
        kubectl.kubernetes.io/last-applied-configuration: |
          {"apiVersion":"v1","kind":"ConfigMap","metadata":{"annotations":{},"finalizers":["example.com/hold"],"name":"fin","namespace":"demo"}}
      creationTimestamp: "…"
      deletionGracePeriodSeconds: 0
      deletionTimestamp: "…"
      finalizers:
      - example.com/hold
      name: fin
      namespace: demo
      resourceVersion: …
      uid: …

    $ kubectl -n demo patch cm fin --type=merge -p '{"metadata":{"finalizers":null}}'
    configmap/fin patched

    $ kubectl -n demo get cm fin
    Error from server (NotFound): configmaps "fin" not found
    [exit 1]
    `,
  );
});

test('a namespace that ends takes nothing new', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ kubectl delete ns demo --wait=false
    namespace "demo" deleted

    $ kubectl -n demo create cm late
    error: failed to create configmap: configmaps "late" is forbidden: unable to create new content in namespace demo because it is being terminated
    [exit 1]
    `,
  );
});
