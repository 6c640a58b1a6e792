// Custom resources, CEL rules, webhooks and policies: a recorded v1.36.2, typed again.

import { test } from 'node:test';
import { NO_KUBECTL, sharedCluster } from '../support/practice.ts';
import { transcript } from '../support/transcript.ts';

const cluster = sharedCluster({ controlPlaneOnly: true });
const skip = NO_KUBECTL;

test('a definition is established and described', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: cronthings.stable.example.com}, spec: {group: stable.example.com, scope: Namespaced, names: {plural: cronthings, singular: cronthing, kind: CronThing, shortNames: [ct], categories: [all]}, versions: [{name: v1, served: true, storage: true, subresources: {status: {}, scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}}, additionalPrinterColumns: [{name: Spec, type: string, jsonPath: .spec.cronSpec},{name: Replicas, type: integer, jsonPath: .spec.replicas},{name: Age, type: date, jsonPath: .metadata.creationTimestamp}], schema: {openAPIV3Schema: {type: object, required: [spec], properties: {spec: {type: object, required: [cronSpec], properties: {cronSpec: {type: string, pattern: "^(\\\\d+|\\\\*)( .*)?$"}, image: {type: string, default: busybox, enum: [busybox, alpine]}, replicas: {type: integer, minimum: 1, maximum: 10}, maxReplicas: {type: integer}}, x-kubernetes-validations: [{rule: "!has(self.maxReplicas) || self.replicas <= self.maxReplicas", message: "replicas must not exceed maxReplicas"}]}, status: {type: object, x-kubernetes-preserve-unknown-fields: true}}}}}]}}
    Y
    customresourcedefinition.apiextensions.k8s.io/cronthings.stable.example.com created

    $ kubectl get crd
    NAME                            CREATED AT
    cronthings.stable.example.com   …

    $ kubectl get crd cronthings.stable.example.com -o yaml
    apiVersion: apiextensions.k8s.io/v1
    kind: CustomResourceDefinition
    metadata:
      annotations:
        kubectl.kubernetes.io/last-applied-configuration: |
          {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"annotations":{},"name":"cronthings.stable.example.com"},"spec":{"group":"stable.example.com","names":{"categories":["all"],"kind":"CronThing","plural":"cronthings","shortNames":["ct"],"singular":"cronthing"},"scope":"Namespaced","versions":[{"additionalPrinterColumns":[{"jsonPath":".spec.cronSpec","name":"Spec","type":"string"},{"jsonPath":".spec.replicas","name":"Replicas","type":"integer"},{"jsonPath":".metadata.creationTimestamp","name":"Age","type":"date"}],"name":"v1","schema":{"openAPIV3Schema":{"properties":{"spec":{"properties":{"cronSpec":{"pattern":"^(\\\\d+|\\\\*)( .*)?$","type":"string"},"image":{"default":"busybox","enum":["busybox","alpine"],"type":"string"},"maxReplicas":{"type":"integer"},"replicas":{"maximum":10,"minimum":1,"type":"integer"}},"required":["cronSpec"],"type":"object","x-kubernetes-validations":[{"message":"replicas must not exceed maxReplicas","rule":"!has(self.maxReplicas) || self.replicas \\u003c= self.maxReplicas"}]},"status":{"type":"object","x-kubernetes-preserve-unknown-fields":true}},"required":["spec"],"type":"object"}},"served":true,"storage":true,"subresources":{"scale":{"specReplicasPath":".spec.replicas","statusReplicasPath":".status.replicas"},"status":{}}}]}}
      creationTimestamp: "…"
      generation: 1
      name: cronthings.stable.example.com
      resourceVersion: …
      uid: …
    spec:
      conversion:
        strategy: None
      group: stable.example.com
      names:
        categories:
        - all
        kind: CronThing
        listKind: CronThingList
        plural: cronthings
        shortNames:
        - ct
        singular: cronthing
      scope: Namespaced
      versions:
      - additionalPrinterColumns:
        - jsonPath: .spec.cronSpec
          name: Spec
          type: string
        - jsonPath: .spec.replicas
          name: Replicas
          type: integer
        - jsonPath: .metadata.creationTimestamp
          name: Age
          type: date
        name: v1
        schema:
          openAPIV3Schema:
            properties:
              spec:
                properties:
                  cronSpec:
                    pattern: ^(\\d+|\\*)( .*)?$
                    type: string
                  image:
                    default: busybox
                    enum:
                    - busybox
                    - alpine
                    type: string
                  maxReplicas:
                    type: integer
                  replicas:
                    maximum: 10
                    minimum: 1
                    type: integer
                required:
                - cronSpec
                type: object
                x-kubernetes-validations:
                - message: replicas must not exceed maxReplicas
                  rule: '!has(self.maxReplicas) || self.replicas <= self.maxReplicas'
              status:
                type: object
                x-kubernetes-preserve-unknown-fields: true
            required:
            - spec
            type: object
        served: true
        storage: true
        subresources:
          scale:
            specReplicasPath: .spec.replicas
            statusReplicasPath: .status.replicas
          status: {}
    status:
      acceptedNames:
        categories:
        - all
        kind: CronThing
        listKind: CronThingList
        plural: cronthings
        shortNames:
        - ct
        singular: cronthing
      conditions:
      - lastTransitionTime: "…"
        message: no conflicts found
        reason: NoConflicts
        status: "True"
        type: NamesAccepted
      - lastTransitionTime: "…"
        message: the initial names have been accepted
        reason: InitialNamesAccepted
        status: "True"
        type: Established
      storedVersions:
      - v1

    $ kubectl describe crd cronthings.stable.example.com | tail -40
                X - Kubernetes - Validations:
                  Message:  replicas must not exceed maxReplicas
                  Rule:     !has(self.maxReplicas) || self.replicas <= self.maxReplicas
              Status:
                Type:                                          object
                X - Kubernetes - Preserve - Unknown - Fields:  true
            Required:
              spec
            Type:  object
        Served:    true
        Storage:   true
        Subresources:
          Scale:
            Spec Replicas Path:    .spec.replicas
            Status Replicas Path:  .status.replicas
          Status:
    Status:
      Accepted Names:
        Categories:
          all
        Kind:       CronThing
        List Kind:  CronThingList
        Plural:     cronthings
        Short Names:
          ct
        Singular:  cronthing
      Conditions:
        Last Transition Time:  …
        Message:               no conflicts found
        Reason:                NoConflicts
        Status:                True
        Type:                  NamesAccepted
        Last Transition Time:  …
        Message:               the initial names have been accepted
        Reason:                InitialNamesAccepted
        Status:                True
        Type:                  Established
      Stored Versions:
        v1
    Events:  <none>

    $ kubectl explain ct.spec
    the server doesn't have a resource type "ct"
    [exit 1]

    $ kubectl api-resources --api-group=stable.example.com
    NAME         SHORTNAMES   APIVERSION              NAMESPACED   KIND
    cronthings   ct           stable.example.com/v1   true         CronThing
    `,
  );
});

test('custom resources are defaulted, validated and printed', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: stable.example.com/v1, kind: CronThing, metadata: {name: a}, spec: {cronSpec: "* * *", replicas: 3}}
    Y
    cronthing.stable.example.com/a created

    $ kubectl get ct
    NAME   SPEC    REPLICAS   AGE
    a      * * *   3          …

    $ kubectl get ct a -o yaml
    apiVersion: stable.example.com/v1
    kind: CronThing
    metadata:
      annotations:
        kubectl.kubernetes.io/last-applied-configuration: |
          {"apiVersion":"stable.example.com/v1","kind":"CronThing","metadata":{"annotations":{},"name":"a","namespace":"default"},"spec":{"cronSpec":"* * *","replicas":3}}
      creationTimestamp: "…"
      generation: 1
      name: a
      namespace: default
      resourceVersion: …
      uid: …
    spec:
      cronSpec: '* * *'
      image: busybox
      replicas: 3

    $ kubectl describe ct a
    Name:         a
    Namespace:    default
    Labels:       <none>
    Annotations:  <none>
    API Version:  stable.example.com/v1
    Kind:         CronThing
    Metadata:
      Creation Timestamp:  …
      Generation:          1
      Resource Version: …
      UID: …
    Spec:
      Cron Spec:  * * *
      Image:      busybox
      Replicas:   3
    Events:       <none>

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: stable.example.com/v1, kind: CronThing, metadata: {name: b}, spec: {replicas: 30, image: nope}}
    Y
    The CronThing "b" is invalid: 
    * spec.image: Unsupported value: "nope": supported values: "busybox", "alpine"
    * spec.replicas: Invalid value: 30: spec.replicas in body should be less than or equal to 10
    * spec.cronSpec: Required value
    * <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: stable.example.com/v1, kind: CronThing, metadata: {name: c}, spec: {cronSpec: 5}}
    Y
    The CronThing "c" is invalid: 
    * spec.cronSpec: Invalid value: "integer": spec.cronSpec in body must be of type string: "integer"
    * <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: stable.example.com/v1, kind: CronThing, metadata: {name: d}, spec: {cronSpec: "bad"}}
    Y
    The CronThing "d" is invalid: spec.cronSpec: Invalid value: "bad": spec.cronSpec in body should match '^(\\d+|\\*)( .*)?$'
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: stable.example.com/v1, kind: CronThing, metadata: {name: e}, spec: {cronSpec: "* *", unknown: 1}}
    Y
    Error from server (BadRequest): error when creating "STDIN": CronThing in version "v1" cannot be handled as a CronThing: strict decoding error: unknown field "spec.unknown"
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: stable.example.com/v1, kind: CronThing, metadata: {name: f}, spec: {cronSpec: "* *", replicas: 5, maxReplicas: 2}}
    Y
    The CronThing "f" is invalid: spec: Invalid value: replicas must not exceed maxReplicas
    [exit 1]

    $ kubectl scale ct a --replicas=4
    cronthing.stable.example.com/a scaled

    $ kubectl scale ct a --replicas=40
    The CronThing "a" is invalid: spec.replicas: Invalid value: 40: spec.replicas in body should be less than or equal to 10
    [exit 1]

    $ kubectl patch ct a --type=strategic -p {}
    error: application/strategic-merge-patch+json is not supported by stable.example.com/v1, Kind=CronThing: the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml
    [exit 1]

    $ kubectl patch ct a --subresource=status --type=merge -p "{\\"status\\":{\\"replicas\\":2}}"
    cronthing.stable.example.com/a patched

    $ kubectl get all
    NAME                 TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)   AGE
    service/kubernetes   ClusterIP   10.96.0.1    <none>        443/TCP   …

    NAME                             SPEC    REPLICAS   AGE
    cronthing.stable.example.com/a   * * *   4          …
    `,
  );
});

test('webhooks and policies decide about admission', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: bad.example.com}, spec: {group: example.com, scope: Namespaced, names: {plural: bads, kind: Bad}, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {properties: {a: {}}}}}]}}
    Y
    The CustomResourceDefinition "bad.example.com" is invalid: 
    * metadata.name: Invalid value: "bad.example.com": must be spec.names.plural+"."+spec.group
    * spec.validation.openAPIV3Schema.properties[a].type: Required value: must not be empty for specified object fields
    * spec.validation.openAPIV3Schema.type: Required value: must not be empty at the root
    [exit 1]

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: w}, webhooks: [{name: w.example.com, admissionReviewVersions: [v1], sideEffects: None, clientConfig: {service: {name: nope, namespace: default, path: /v}}, rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]}]}
    Y
    validatingwebhookconfiguration.admissionregistration.k8s.io/w created

    $ kubectl create cm hooked
    error: failed to create configmap: Internal error occurred: failed calling webhook "w.example.com": failed to call webhook: Post "https://nope.default.svc:443/v?timeout=10s": service "nope" not found
    [exit 1]

    $ kubectl get validatingwebhookconfigurations
    NAME   WEBHOOKS   AGE
    w      1          …

    $ kubectl delete validatingwebhookconfiguration w
    validatingwebhookconfiguration.admissionregistration.k8s.io "w" deleted

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: p}, spec: {matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]}, validations: [{expression: "object.metadata.name.startsWith(\\"ok\\")", message: "name must start with ok"}]}}
    Y
    validatingadmissionpolicy.admissionregistration.k8s.io/p created

    $ cat <<'Y' | kubectl apply  -f -
    {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: pb}, spec: {policyName: p, validationActions: [Deny]}}
    Y
    validatingadmissionpolicybinding.admissionregistration.k8s.io/pb created

    $ kubectl create cm nope2
    error: failed to create configmap: configmaps "nope2" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'pb' denied request: name must start with ok
    [exit 1]

    $ kubectl create cm ok2
    configmap/ok2 created
    `,
  );
});

test('a definition takes its objects with it', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ kubectl delete validatingadmissionpolicy,validatingadmissionpolicybinding --all
    validatingadmissionpolicy.admissionregistration.k8s.io "p" deleted
    validatingadmissionpolicybinding.admissionregistration.k8s.io "pb" deleted

    $ kubectl delete crd cronthings.stable.example.com
    customresourcedefinition.apiextensions.k8s.io "cronthings.stable.example.com" deleted

    $ kubectl get ct
    Error from server (NotFound): Unable to list "stable.example.com/v1, Resource=cronthings": the server could not find the requested resource (get cronthings.stable.example.com)
    [exit 1]
    `,
  );
});

test('a definition whose rules cannot be compiled is refused', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ kubectl create -f - <<'Y'
    {apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: rules.broken.example.com}, spec: {group: broken.example.com, scope: Namespaced, names: {plural: rules, kind: Rule}, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {count: {type: integer}, m-n: {type: string}, free: {x-kubernetes-preserve-unknown-fields: true}}, x-kubernetes-validations: [{rule: "self.count >", message: m}, {rule: "other.n > 1"}, {rule: "1 + 1"}, {rule: "self.foo > 1"}, {rule: "self.count == 'one'", messageExpression: nobody}, {rule: 'self.count == 1', messageExpression: "'not ' + self.count"}, {rule: "has(self.free.x) && self.m__dash__n.size() > 0"}]}}}}}]}}
    Y
    The CustomResourceDefinition "rules.broken.example.com" is invalid: 
    * spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule: Invalid value: {"Rule":"self.count \\u003e","Message":"m","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: ERROR: <input>:1:13: Syntax error: mismatched input '<EOF>' expecting …
     | self.count >
     | ............^
    * spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[1].rule: Invalid value: {"Rule":"other.n \\u003e 1","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: ERROR: <input>:1:1: undeclared reference to 'other' (in container '')
     | other.n > 1
     | ^
    * spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[2].rule: Invalid value: {"Rule":"1 + 1","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: cel expression must evaluate to a bool
    * spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[3].rule: Invalid value: {"Rule":"self.foo \\u003e 1","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: ERROR: <input>:1:5: undefined field 'foo'
     | self.foo > 1
     | ....^
    * spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[4].rule: Invalid value: {"Rule":"self.count == 'one'","Message":"","MessageExpression":"nobody","Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: ERROR: <input>:1:12: found no matching overload for '_==_' applied to '(int, string)'
     | self.count == 'one'
     | ...........^
    * spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[5].messageExpression: Invalid value: {"Rule":"self.count == 1","Message":"","MessageExpression":"'not ' + self.count","Reason":null,"FieldPath":"","OptionalOldSelf":null}: messageExpression compilation failed: ERROR: <input>:1:8: found no matching overload for '_+_' applied to '(string, int)'
     | 'not ' + self.count
     | .......^
    * spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[6].rule: Invalid value: {"Rule":"has(self.free.x) \\u0026\\u0026 self.m__dash__n.size() \\u003e 0","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: ERROR: <input>:1:9: undefined field 'free'
     | has(self.free.x) && self.m__dash__n.size() > 0
     | ........^
    [exit 1]
    `,
  );
});
