// What a cluster tells about the expressions of an admission policy that do not fit the kinds it is for: the policy is taken
// and its status says what is wrong, in the words of cel-go and Kubernetes' own checker.

import { test } from 'node:test';
import { NO_KUBECTL, sharedCluster } from '../support/practice.ts';
import { transcript } from '../support/transcript.ts';

const cluster = sharedCluster();
const skip = NO_KUBECTL;

const policy = (name: string, rules: string, more: string) =>
  `{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: ${name}}, spec: {matchConstraints: {resourceRules: [${rules}]}, ${more}}}`;
const rule = (groups: string, versions: string, resources: string) =>
  `{apiGroups: [${groups}], apiVersions: [${versions}], operations: [CREATE], resources: [${resources}]}`;
const CRD = `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: boats.sea.example.com}, spec: {group: sea.example.com, scope: Namespaced, names: {plural: boats, kind: Boat}, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {sails: {type: integer}, max-speed: {type: integer}}}}}}}]}}`;

test('a policy is warned of fields that its kinds have not, each kind by itself', { skip }, async () => {
  await transcript(
    await cluster(),
    `
    $ kubectl create -f - <<'Y'
    ${CRD}
    ---
    ${policy(
      'typo',
      `${rule('apps', 'v1', 'statefulsets, deployments, deployments/scale')}`,
      `variables: [{name: wanted, expression: object.spec.replica}, {name: name, expression: object.metadata.name}], validations: [{expression: object.spec.replica > 3, messageExpression: "'at most ' + object.metadata.name"}, {expression: "object.spec.replicas <= 3", messageExpression: "'not ' + object.spec.replicas"}, {expression: "variables.wanted < 3 && variables.name == 3"}]`,
    )}
    ---
    ${policy('fine', rule('apps', 'v1', 'deployments'), `validations: [{expression: "object.spec.template.spec.containers.all(c, !has(c.securityContext) || c.resources.limits['cpu'] != '1')"}]`)}
    ---
    ${policy('everything', rule("'*'", 'v1', 'deployments'), `validations: [{expression: object.spec.replica > 3}]`)}
    ---
    ${policy(
      'boats',
      rule('sea.example.com', 'v1', 'boats'),
      `paramKind: {apiVersion: v1, kind: ConfigMap}, validations: [{expression: object.spec.sails > 1 && object.spec.max__dash__speed > 1 && object.metadata.uid != ''}, {expression: has(object.spec.oars) && params.data.most == 3}]`,
    )}
    Y
    customresourcedefinition.apiextensions.k8s.io/boats.sea.example.com created
    validatingadmissionpolicy.admissionregistration.k8s.io/typo created
    validatingadmissionpolicy.admissionregistration.k8s.io/fine created
    validatingadmissionpolicy.admissionregistration.k8s.io/everything created
    validatingadmissionpolicy.admissionregistration.k8s.io/boats created

    $~ kubectl get validatingadmissionpolicy -o custom-columns='NAME:.metadata.name,SEEN:.status.observedGeneration,CHECKED:.status.typeChecking.expressionWarnings[*].fieldRef'
    NAME SEEN CHECKED
    boats 1 spec.validations[1].expression
    everything 1 <none>
    fine 1 <none>
    typo 1 spec.validations[0].expression,spec.validations[1].messageExpression,spec.validations[2].expression

    $ kubectl get validatingadmissionpolicy fine -o jsonpath='{.status}'
    {"observedGeneration":1,"typeChecking":{}}

    $ kubectl get validatingadmissionpolicy typo -o jsonpath='{range .status.typeChecking.expressionWarnings[*]}{.fieldRef}{"\\n"}{.warning}{end}'
    spec.validations[0].expression
    apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'replica'
     | object.spec.replica > 3
     | ...........^

    apps/v1, Kind=StatefulSet: ERROR: <input>:1:12: undefined field 'replica'
     | object.spec.replica > 3
     | ...........^
    spec.validations[1].messageExpression
    apps/v1, Kind=Deployment: ERROR: <input>:1:8: found no matching overload for '_+_' applied to '(string, int)'
     | 'not ' + object.spec.replicas
     | .......^

    apps/v1, Kind=StatefulSet: ERROR: <input>:1:8: found no matching overload for '_+_' applied to '(string, int)'
     | 'not ' + object.spec.replicas
     | .......^
    spec.validations[2].expression
    apps/v1, Kind=Deployment: ERROR: <input>:1:40: found no matching overload for '_==_' applied to '(string, int)'
     | variables.wanted < 3 && variables.name == 3
     | .......................................^

    apps/v1, Kind=StatefulSet: ERROR: <input>:1:40: found no matching overload for '_==_' applied to '(string, int)'
     | variables.wanted < 3 && variables.name == 3
     | .......................................^

    $ kubectl describe validatingadmissionpolicy boats | sed -n '/^Status/,$p'
    Status:
      Observed Generation:  1
      Type Checking:
        Expression Warnings:
          Field Ref:  spec.validations[1].expression
          Warning:    sea.example.com/v1, Kind=Boat: ERROR: <input>:1:4: undefined field 'oars'
     | has(object.spec.oars) && params.data.most == 3
     | ...^
    ERROR: <input>:1:43: found no matching overload for '_==_' applied to '(string, int)'
     | has(object.spec.oars) && params.data.most == 3
     | ..........................................^

    Events:  <none>

    $ kubectl patch validatingadmissionpolicy typo --type=json -p '[{"op":"replace","path":"/spec/validations","value":[{"expression":"object.spec.replicas > 3"}]}]'
    validatingadmissionpolicy.admissionregistration.k8s.io/typo patched

    $~ kubectl get validatingadmissionpolicy typo -o jsonpath='{.status.observedGeneration} {.status.typeChecking.expressionWarnings}.'
    2 .
    `,
  );
});
