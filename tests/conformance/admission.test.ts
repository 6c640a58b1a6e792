// What a cluster adds to objects and what it refuses by policy, in the words of a recorded v1.36.2.

import { test } from 'node:test';
import { NO_KUBECTL, sharedCluster } from '../support/practice.ts';
import { transcript } from '../support/transcript.ts';

const cluster = sharedCluster();
const skip = NO_KUBECTL;
const type = async (text: string) => transcript(await cluster(), text);

test('quotas say what is missing and what is exceeded', { skip }, () =>
  type(`
    $ kubectl create ns quotas
    namespace/quotas created

    $ kubectl create quota q --hard=configmaps=2,requests.cpu=1 -n quotas
    resourcequota/q created

    $~ kubectl -n quotas run over --image=nginx
    Error from server (Forbidden): pods "over" is forbidden: failed quota: q: must specify requests.cpu for: over
    [exit 1]

    $ kubectl -n quotas create cm one
    configmap/one created

    $ kubectl -n quotas create cm two
    error: failed to create configmap: configmaps "two" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=2, limited: configmaps=2
    [exit 1]
  `),
);

test('limit ranges fill in and bound', { skip }, () =>
  type(`
    $ kubectl create ns limits
    namespace/limits created

    $ kubectl apply -f - <<'Y'
    apiVersion: v1
    kind: LimitRange
    metadata: {name: lr, namespace: limits}
    spec:
      limits:
      - type: Container
        default: {cpu: 500m, memory: 256Mi}
        defaultRequest: {cpu: 100m}
        max: {memory: 512Mi}
        min: {cpu: 50m}
    Y
    limitrange/lr created

    $ kubectl describe limitrange lr -n limits
    Name:       lr
    Namespace:  limits
    Type        Resource  Min  Max    Default Request  Default Limit  Max Limit/Request Ratio
    ----        --------  ---  ---    ---------------  -------------  -----------------------
    Container   …
    Container   …

    $~ kubectl -n limits run lrp --image=b
    pod/lrp created

    $ kubectl -n limits get pod lrp -o jsonpath='{.spec.containers[0].resources}'
    {"limits":{"cpu":"500m","memory":"256Mi"},"requests":{"cpu":"100m","memory":"256Mi"}}

    $ kubectl -n limits apply -f - <<'Y'
    apiVersion: v1
    kind: Pod
    metadata: {name: lrq}
    spec:
      containers:
      - {name: x, image: b, resources: {limits: {memory: 1Gi}, requests: {cpu: 10m}}}
    Y
    Error from server (Forbidden): error when creating "STDIN": pods "lrq" is forbidden: [minimum cpu usage per Container is 50m, but request is 10m, maximum memory usage per Container is 512Mi, but limit is 1Gi]
    [exit 1]
  `),
);

test('pod security refuses pods and warns of what makes them', { skip }, () =>
  type(`
    $ kubectl create ns guarded
    namespace/guarded created

    $ kubectl label ns guarded pod-security.kubernetes.io/enforce=restricted pod-security.kubernetes.io/warn=restricted
    namespace/guarded labeled

    $~ kubectl -n guarded run psa --image=nginx
    Error from server (Forbidden): pods "psa" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "psa" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "psa" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "psa" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "psa" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")
    [exit 1]

    $ kubectl -n guarded create deploy psa --image=nginx
    Warning: would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "nginx" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "nginx" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "nginx" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "nginx" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")
    deployment.apps/psa created

    $~ kubectl -n guarded get events --field-selector reason=FailedCreate -o jsonpath='{.items[0].message}'
    Error creating: pods "psa-…" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false…
  `),
);

test('a webhook without a service stops what it guards until it is gone', { skip }, () =>
  type(`
    $ kubectl apply -f - <<'Y'
    apiVersion: admissionregistration.k8s.io/v1
    kind: ValidatingWebhookConfiguration
    metadata: {name: w}
    webhooks:
    - name: w.example.com
      admissionReviewVersions: [v1]
      sideEffects: None
      clientConfig: {service: {name: nope, namespace: default, path: /v}}
      namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: default}}
      rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]
    Y
    validatingwebhookconfiguration.admissionregistration.k8s.io/w created

    $~ kubectl create cm hooked
    error: failed to create configmap: Internal error occurred: failed calling webhook "w.example.com": failed to call webhook: Post "https://nope.default.svc:443/v?timeout=10s": service "nope" not found
    [exit 1]

    $ kubectl get validatingwebhookconfigurations
    NAME   WEBHOOKS   AGE
    w      1          …

    $ kubectl delete validatingwebhookconfiguration w
    validatingwebhookconfiguration.admissionregistration.k8s.io "w" deleted

    $~ kubectl create cm hooked
    configmap/hooked created
  `),
);

test('a policy refuses by CEL while a binding is in force', { skip }, () =>
  type(`
    $ kubectl apply -f - <<'Y'
    apiVersion: admissionregistration.k8s.io/v1
    kind: ValidatingAdmissionPolicy
    metadata: {name: p}
    spec:
      matchConstraints:
        namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: default}}
        resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]
      validations:
      - {expression: 'object.metadata.name.startsWith("ok")', message: name must start with ok}
    ---
    apiVersion: admissionregistration.k8s.io/v1
    kind: ValidatingAdmissionPolicyBinding
    metadata: {name: pb}
    spec: {policyName: p, validationActions: [Deny]}
    Y
    validatingadmissionpolicy.admissionregistration.k8s.io/p created
    validatingadmissionpolicybinding.admissionregistration.k8s.io/pb created

    $~ kubectl create cm nope2
    error: failed to create configmap: configmaps "nope2" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'pb' denied request: name must start with ok
    [exit 1]

    $ kubectl create cm ok2
    configmap/ok2 created

    $ kubectl delete validatingadmissionpolicy,validatingadmissionpolicybinding --all
    validatingadmissionpolicy.admissionregistration.k8s.io "p" deleted
    validatingadmissionpolicybinding.admissionregistration.k8s.io "pb" deleted
  `),
);

test('a mutating policy changes what is written while a binding is in force', { skip }, () =>
  type(`
    $ kubectl create ns mutated
    namespace/mutated created

    $ kubectl apply -f - <<'Y'
    apiVersion: admissionregistration.k8s.io/v1
    kind: MutatingAdmissionPolicy
    metadata: {name: m}
    spec:
      failurePolicy: Fail
      reinvocationPolicy: Never
      matchConstraints:
        namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: mutated}}
        resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
      matchConditions: [{name: not-mine, expression: 'object.metadata.name != "mine"'}]
      variables: [{name: team, expression: 'params.data.team'}]
      paramKind: {apiVersion: v1, kind: ConfigMap}
      mutations:
      - patchType: ApplyConfiguration
        applyConfiguration:
          expression: >-
            Object{metadata: Object.metadata{labels: {"team": variables.team}}, spec: Object.spec{initContainers:
            [Object.spec.initContainers{name: "mesh", image: "busybox:1.36", restartPolicy: "Always"}]}}
      - patchType: JSONPatch
        jsonPatch: {expression: '[JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("example.com/by"), value: "policy"}]'}
    ---
    apiVersion: admissionregistration.k8s.io/v1
    kind: MutatingAdmissionPolicyBinding
    metadata: {name: mb}
    spec: {policyName: m, paramRef: {name: team, namespace: mutated, parameterNotFoundAction: Deny}}
    Y
    mutatingadmissionpolicy.admissionregistration.k8s.io/m created
    mutatingadmissionpolicybinding.admissionregistration.k8s.io/mb created

    $ kubectl get mutatingadmissionpolicies,mutatingadmissionpolicybindings
    NAME                                                       MUTATIONS   PARAMKIND      AGE
    mutatingadmissionpolicy.admissionregistration.k8s.io/m     2           v1/ConfigMap   …

    NAME                                                             POLICYNAME   PARAMREF       AGE
    mutatingadmissionpolicybinding.admissionregistration.k8s.io/mb   m            mutated/team   …

    $~ kubectl -n mutated run web --image=nginx
    The pods "web" is invalid: : policy 'm' with binding 'mb' denied request: failed to configure binding: no params found for policy binding with \`Deny\` parameterNotFoundAction
    [exit 1]

    $ kubectl -n mutated create cm team --from-literal=team=blue
    configmap/team created

    $~ kubectl -n mutated run web --image=nginx
    pod/web created

    $ kubectl -n mutated get pod web -o custom-columns=L:.metadata.labels,I:.spec.initContainers[*].name,P:.spec.initContainers[*].imagePullPolicy
    L                                                I      P
    map[example.com/by:policy run:web team:blue]     mesh   IfNotPresent

    $ kubectl -n mutated run mine --image=nginx
    pod/mine created

    $ kubectl -n mutated get pod mine -o jsonpath={.metadata.labels}
    {"run":"mine"}

    $ kubectl delete mutatingadmissionpolicy,mutatingadmissionpolicybinding --all
    mutatingadmissionpolicy.admissionregistration.k8s.io "m" deleted
    mutatingadmissionpolicybinding.admissionregistration.k8s.io "mb" deleted

    $ kubectl delete ns mutated --wait=false
    namespace "mutated" deleted
  `),
);

test('a policy whose expressions cannot be compiled is refused', { skip }, async () => {
  const policy = (name: string, more: string) =>
    `{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: ${name}}, spec: {matchConstraints: {resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]}, ${more}}}`;
  await transcript(
    await cluster(),
    `
    $ kubectl create -f - <<'Y'
    ${policy('broken', 'validations: [{expression: "object.spec.replicas >"}]')}
    Y
    The ValidatingAdmissionPolicy "broken" is invalid: spec.validations[0].expression: Invalid value: "object.spec.replicas >": compilation failed: ERROR: <input>:1:23: Syntax error: mismatched input '<EOF>' expecting …
     | object.spec.replicas >
     | ......................^
    [exit 1]

    $ kubectl create -f - <<'Y'
    ${policy('unknown', 'variables: [{name: v, expression: "nobody.x"}], validations: [{expression: "params.max > 1"}]')}
    Y
    The ValidatingAdmissionPolicy "unknown" is invalid: 
    * spec.variables[0].expression: Invalid value: "nobody.x": compilation failed: ERROR: <input>:1:1: undeclared reference to 'nobody' (in container '')
     | nobody.x
     | ^
    * spec.validations[0].expression: Invalid value: "params.max > 1": compilation failed: ERROR: <input>:1:1: undeclared reference to 'params' (in container '')
     | params.max > 1
     | ^
    [exit 1]

    $ kubectl create -f - <<'Y'
    ${policy('number', `validations: [{expression: "1 + 1", messageExpression: "true"}]`)}
    Y
    The ValidatingAdmissionPolicy "number" is invalid: 
    * spec.validations[0].expression: Invalid value: "1 + 1": must evaluate to bool but got int
    * spec.validations[0].messageExpression: Invalid value: "true": must evaluate to string but got bool
    [exit 1]

    $ kubectl create -f - <<'Y'
    ${policy('shapes', `variables: [{name: v, expression: "request.userInfo.username"}], validations: [{expression: "variables.w == 'x' && request.user == 'x'"}, {expression: "variables.v > 1"}, {expression: "object.spec.paused"}, {expression: "shout(object.metadata.name)", messageExpression: "authorizer.path('/x').check('get').reason()"}], auditAnnotations: [{key: k, valueExpression: "1 + 1"}], matchConditions: [{name: m, expression: "variables.v == 'x'"}]`)}
    Y
    The ValidatingAdmissionPolicy "shapes" is invalid: 
    * spec.matchConditions[0].expression: Invalid value: "variables.v == 'x'": compilation failed: ERROR: <input>:1:1: undeclared reference to 'variables' (in container '')
     | variables.v == 'x'
     | ^
    * spec.validations[0].expression: Invalid value: "variables.w == 'x' && request.user == 'x'": compilation failed: ERROR: <input>:1:10: undefined field 'w'
     | variables.w == 'x' && request.user == 'x'
     | .........^
    ERROR: <input>:1:30: undefined field 'user'
     | variables.w == 'x' && request.user == 'x'
     | .............................^
    * spec.validations[1].expression: Invalid value: "variables.v > 1": compilation failed: ERROR: <input>:1:13: found no matching overload for '_>_' applied to '(string, int)'
     | variables.v > 1
     | ............^
    * spec.validations[2].expression: Invalid value: "object.spec.paused": must evaluate to bool but got dyn
    * spec.validations[3].expression: Invalid value: "shout(object.metadata.name)": compilation failed: ERROR: <input>:1:6: undeclared reference to 'shout' (in container '')
     | shout(object.metadata.name)
     | .....^
    * spec.validations[3].messageExpression: Invalid value: "authorizer.path('/x').check('get').reason()": compilation failed: ERROR: <input>:1:1: undeclared reference to 'authorizer' (in container '')
     | authorizer.path('/x').check('get').reason()
     | ^
    * spec.auditAnnotations[0].valueExpression: Invalid value: "1 + 1": must evaluate to one of [string null_type] but got int
    [exit 1]

    $ kubectl create -f - <<'Y'
    ${policy('whole', `paramKind: {apiVersion: v1, kind: ConfigMap}, variables: [{name: most, expression: "int(params.data.most)"}], validations: [{expression: "object.spec.template.spec.containers.all(c, c.image.startsWith('x')) && object.spec.replicas <= variables.most && has(request.userInfo) && namespaceObject.metadata.name != 'a' && authorizer.group('').resource('pods').check('get').allowed()", messageExpression: "'at most ' + string(variables.most)"}]`)}
    Y
    validatingadmissionpolicy.admissionregistration.k8s.io/whole created

    $ kubectl delete validatingadmissionpolicy whole
    validatingadmissionpolicy.admissionregistration.k8s.io "whole" deleted

    $ kubectl create -f - <<'Y'
    {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: conditions}, webhooks: [{name: a.b.example.com, clientConfig: {url: "https://a.example.com"}, sideEffects: None, admissionReviewVersions: [v1], rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}], matchConditions: [{name: typo, expression: "request.user == 'x'"}, {name: typo, expression: "request.name"}]}]}
    Y
    The ValidatingWebhookConfiguration "conditions" is invalid: 
    * webhooks[0].matchConditions[0].expression: Invalid value: "request.user == 'x'": compilation failed: ERROR: <input>:1:8: undefined field 'user'
     | request.user == 'x'
     | .......^
    * webhooks[0].matchConditions[1].expression: Invalid value: "request.name": must evaluate to bool but got string
    * webhooks[0].matchConditions[1].name: Duplicate value: "typo"
    [exit 1]
    `,
  );
});
