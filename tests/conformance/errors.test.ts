// What is said to bad input: refusals in the words of a recorded v1.36.2.

import { test } from 'node:test';
import { NO_KUBECTL, sharedCluster } from '../support/practice.ts';
import { transcript } from '../support/transcript.ts';

const cluster = sharedCluster({ controlPlaneOnly: true });
const skip = NO_KUBECTL;

test('what is not there is named', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ kubectl get pod nope
    Error from server (NotFound): pods "nope" not found
    [exit 1]

    $ kubectl get pod nope -n missing
    Error from server (NotFound): namespaces "missing" not found
    [exit 1]

    $ kubectl get pods -n missing
    No resources found in missing namespace.

    $ kubectl scale deploy nope --replicas=2
    …deployments.apps "nope" not found
    [exit 1]

    $ kubectl logs nope
    error: error from server (NotFound): pods "nope" not found in namespace "default"
    [exit 1]

    $ kubectl exec nope -- ls
    Error from server (NotFound): pods "nope" not found
    [exit 1]

    $ kubectl port-forward nope 80
    Error from server (NotFound): pods "nope" not found
    [exit 1]

    $ kubectl rollout status deploy/nope
    Error from server (NotFound): deployments.apps "nope" not found
    [exit 1]

    $ kubectl label pod nope a=b
    Error from server (NotFound): pods "nope" not found
    [exit 1]

    $ kubectl patch pod nope -p {}
    Error from server (NotFound): pods "nope" not found
    [exit 1]

    $ kubectl edit pod nope
    Error from server (NotFound): pods "nope" not found
    [exit 1]
    `,
  );
});

test('namespaces guard themselves and what is in them', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ kubectl create ns default
    Error from server (AlreadyExists): namespaces "default" already exists
    [exit 1]

    $ kubectl create ns Bad_Name
    The Namespace "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')
    [exit 1]

    $ kubectl delete ns default
    Error from server (Forbidden): namespaces "default" is forbidden: this namespace may not be deleted
    [exit 1]

    $ kubectl delete ns kube-system
    Error from server (Forbidden): namespaces "kube-system" is forbidden: this namespace may not be deleted
    [exit 1]

    $ kubectl create cm a -n missing
    error: failed to create configmap: namespaces "missing" not found
    [exit 1]

    $ kubectl create deploy d --image=nginx -n missing
    error: failed to create deployment: namespaces "missing" not found
    [exit 1]
    `,
  );
});

test('metrics are not served without a metrics server', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ kubectl top nodes
    error: Metrics API not available
    [exit 1]

    $ kubectl top pods
    error: Metrics API not available
    [exit 1]
    `,
  );
});

test('selectors that make no sense are refused', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ kubectl get pods --field-selector spec.nope=1
    Error from server (BadRequest): Unable to find "/v1, Resource=pods" that match label selector "", field selector "spec.nope=1": field label not supported: spec.nope
    [exit 1]

    $ kubectl get pods -l "a in b"
    Error from server (BadRequest): Unable to find "/v1, Resource=pods" that match label selector "a in b", field selector "": unable to parse requirement: found 'b' expected: '('
    [exit 1]
    `,
  );
});

test('manifests without a known kind never leave kubectl', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ echo "a: b" | kubectl apply -f -
    error: error validating "STDIN": error validating data: [apiVersion not set, kind not set]; if you choose to ignore these errors, turn validation off with --validate=false
    [exit 1]

    $ echo "{apiVersion: v9, kind: Pod, metadata: {name: a}}" | kubectl apply -f -
    error: resource mapping not found for name: "a" namespace: "" from "STDIN": no matches for kind "Pod" in version "v9"
    ensure CRDs are installed first
    [exit 1]

    $ echo "{apiVersion: example.com/v1, kind: Bogus, metadata: {name: a, namespace: x}}" | kubectl apply -f -
    error: resource mapping not found for name: "a" namespace: "x" from "STDIN": no matches for kind "Bogus" in version "example.com/v1"
    ensure CRDs are installed first
    [exit 1]
    `,
  );
});

test('a pod is told every mistake in it', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ kubectl create sa default 2>/dev/null; true
    ...

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {}}
    Y
    The Pod "a" is invalid: spec.containers: Required value
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: x}]}}
    Y
    The Pod "a" is invalid: spec.containers[0].image: Required value
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: x, image: b, ports: [{containerPort: 99999}]}]}}
    Y
    The Pod "a" is invalid: spec.containers[0].ports[0].containerPort: Invalid value: 99999: must be between 1 and 65535, inclusive
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: x, image: b},{name: x, image: c}], restartPolicy: Sometimes}}
    Y
    The Pod "a" is invalid: 
    * spec.containers[1].name: Duplicate value: "x"
    * spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: x, image: b, resources: {requests: {cpu: 2, memory: 1Gi}, limits: {cpu: 1, memory: 512Mi}}}]}}
    Y
    The Pod "a" is invalid: 
    * spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1
    * spec.containers[0].resources.requests: Invalid value: "1Gi": must be less than or equal to memory limit of 512Mi
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: x, image: b, volumeMounts: [{name: v, mountPath: /v}]}]}}
    Y
    The Pod "a" is invalid: spec.containers[0].volumeMounts[0].name: Not found: "v"
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: x, image: b, env: [{name: 1A-}, {name: B, value: "1", valueFrom: {fieldRef: {fieldPath: metadata.nope}}}]}]}}
    Y
    The Pod "a" is invalid: 
    * spec.containers[0].env[1].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.nope": error converting fieldPath: field label not supported: metadata.nope
    * spec.containers[0].env[1].valueFrom: Invalid value: "": may not be specified when \`value\` is not empty
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: x, image: b, livenessProbe: {periodSeconds: -1}}]}}
    Y
    The Pod "a" is invalid: 
    * spec.containers[0].livenessProbe: Required value: must specify a handler type
    * spec.containers[0].livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: v1, kind: Pod, metadata: {name: a, labels: {"bad key!": v, ok: "bad value!"}}, spec: {containers: [{name: x, image: b}]}}
    Y
    The Pod "a" is invalid: 
    * metadata.labels: Invalid value: "bad key!": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
    * metadata.labels: Invalid value: "bad value!": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')
    [exit 1]
    `,
  );
});

test('what cannot be decoded is a bad request', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: x, image: b, foo: 1}]}}
    Y
    Error from server (BadRequest): error when creating "STDIN": Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containers[0].foo"
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: x, image: b, resources: {requests: {cpu: abc}}}]}}
    Y
    Error from server (BadRequest): error when creating "STDIN": Pod in version "v1" cannot be handled as a Pod: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: x, image: b, command: "sh"}]}}
    Y
    Error from server (BadRequest): error when creating "STDIN": Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal string into Go struct field Container.spec.containers.command of type []string
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: two, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: x, image: b}]}}}}
    Y
    Error from server (BadRequest): error when creating "STDIN": Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {k: 5}}
    Y
    Error from server (BadRequest): error when creating "STDIN": ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: v1, kind: Secret, metadata: {name: c}, data: {k: "not base64!"}}
    Y
    Error from server (BadRequest): error when creating "STDIN": Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 3
    [exit 1]
    `,
  );
});

test('a pod needs its service account', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ kubectl create sa default 2>/dev/null; true
    ...

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {serviceAccountName: nope, containers: [{name: x, image: b}]}}
    Y
    Error from server (Forbidden): error when creating "STDIN": pods "a" is forbidden: error looking up service account default/nope: serviceaccount "nope" not found
    [exit 1]
    `,
  );
});

test('a deployment is told every mistake in it', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: c}}, spec: {containers: [{name: x, image: b}]}}}}
    Y
    The Deployment "a" is invalid: spec.template.metadata.labels: Invalid value: {"a":"c"}: \`selector\` does not match template \`labels\`
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {template: {metadata: {labels: {a: c}}, spec: {containers: [{name: x, image: b}]}}}}
    Y
    The Deployment "a" is invalid: 
    * spec.selector: Required value
    * spec.template.metadata.labels: Invalid value: {"a":"c"}: \`selector\` does not match template \`labels\`
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: -1, strategy: {type: Wrong}, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: x, image: b}]}}}}
    Y
    The Deployment "a" is invalid: 
    * spec.replicas: Invalid value: -1: must be greater than or equal to 0
    * spec.strategy: Unsupported value: {"Type":"Wrong","RollingUpdate":null}: supported values: "Recreate", "RollingUpdate"
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h}, spec: {maxReplicas: 0, scaleTargetRef: {kind: Deployment, name: d}}}
    Y
    The HorizontalPodAutoscaler "h" is invalid: 
    * spec.maxReplicas: Required value: must be set and greater than 0
    * spec.maxReplicas: Invalid value: 0: must be greater than or equal to \`minReplicas\`
    * spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group
    [exit 1]
    `,
  );
});

test('a service is told every mistake in it', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ kubectl create svc nodeport np --tcp=80 --node-port=80
    error: failed to create NodePort service: Service "np" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: v1, kind: Service, metadata: {name: s}, spec: {}}
    Y
    The Service "s" is invalid: spec.ports: Required value
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 80},{port: 81}]}}
    Y
    The Service "s" is invalid: 
    * spec.ports[0].name: Required value
    * spec.ports[1].name: Required value
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: v1, kind: Service, metadata: {name: s}, spec: {type: NodePort, ports: [{port: 80, nodePort: 99}]}}
    Y
    The Service "s" is invalid: spec.ports[0].nodePort: Invalid value: 99: provided port is not in the valid range. The range of valid ports is 30000-32767
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: v1, kind: Service, metadata: {name: s}, spec: {clusterIP: 10.96.0.1, ports: [{port: 80}]}}
    Y
    The Service "s" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.1"]: failed to allocate IP 10.96.0.1: provided IP is already allocated
    [exit 1]
    `,
  );
});

test('jobs and cron jobs are told every mistake in them', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: batch/v1, kind: Job, metadata: {name: j}, spec: {template: {spec: {containers: [{name: x, image: b}]}}}}
    Y
    The Job "j" is invalid: spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: batch/v1, kind: CronJob, metadata: {name: j}, spec: {schedule: "bad", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: x, image: b}]}}}}}}
    Y
    The CronJob "j" is invalid: spec.schedule: Invalid value: "bad": expected exactly 5 fields, found 1: [bad]
    [exit 1]
    `,
  );
});

test('other kinds are told every mistake in them', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i}, spec: {rules: [{http: {paths: [{path: /, backend: {service: {name: s, port: {number: 80}}}}]}}]}}
    Y
    The Ingress "i" is invalid: spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: c}, spec: {accessModes: [Bad]}}
    Y
    The PersistentVolumeClaim "c" is invalid: 
    * spec.accessModes: Unsupported value: "Bad": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"
    * spec.resources[storage]: Required value
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {"bad key": "x"}}
    Y
    The ConfigMap "c" is invalid: data[bad key]: Invalid value: "bad key": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h}, spec: {maxReplicas: 0, scaleTargetRef: {kind: Deployment, name: d}}}
    Y
    The HorizontalPodAutoscaler "h" is invalid: 
    * spec.maxReplicas: Required value: must be set and greater than 0
    * spec.maxReplicas: Invalid value: 0: must be greater than or equal to \`minReplicas\`
    * spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group
    [exit 1]
    `,
  );
});

test('objects have a largest size', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ kubectl create cm big --from-file=<(head -c 1100000 /dev/zero | tr "\\0" a)
    error: failed to create configmap: ConfigMap "big" is invalid: []: Too long: may not be more than 1048576 bytes
    [exit 1]

    $ python3 -c "print(\\"{\\\\\\"apiVersion\\\\\\":\\\\\\"v1\\\\\\",\\\\\\"kind\\\\\\":\\\\\\"ConfigMap\\\\\\",\\\\\\"metadata\\\\\\":{\\\\\\"name\\\\\\":\\\\\\"ann\\\\\\",\\\\\\"annotations\\\\\\":{\\\\\\"a\\\\\\":\\\\\\"\\"+\\"x\\"*262145+\\"\\\\\\"}}}\\")" | kubectl create -f -
    The ConfigMap "ann" is invalid: metadata.annotations: Too long: may not be more than 262144 bytes
    [exit 1]

    $ python3 -c "print(\\"{\\\\\\"apiVersion\\\\\\":\\\\\\"v1\\\\\\",\\\\\\"kind\\\\\\":\\\\\\"ConfigMap\\\\\\",\\\\\\"metadata\\\\\\":{\\\\\\"name\\\\\\":\\\\\\"ann\\\\\\"},\\\\\\"data\\\\\\":{\\\\\\"a\\\\\\":\\\\\\"\\"+\\"x\\"*262145+\\"\\\\\\"}}\\")" | kubectl apply -f -
    The ConfigMap "ann" is invalid: metadata.annotations: Too long: may not be more than 262144 bytes
    [exit 1]
    `,
  );
});
