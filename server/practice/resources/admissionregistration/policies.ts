// Admission policies and their bindings, validating and mutating.

import {
  type FieldError,
  invalidValue,
  type KubeObject,
  notSupported,
  required,
} from '../../../kube/index.ts';
import { AGE, age, integer, NAME, text } from '../format.ts';
import { statusOf } from '../parts.ts';
import type { ResourceDefinition } from '../types.ts';
import { labelSelector, oneOf } from '../validation/common.ts';
import { auditAnnotations, matchConditions, openNames, validations, variables } from './expressions.ts';
import { ruleWithOperations } from './webhooks.ts';

const GROUP = 'admissionregistration.k8s.io';
const ACTIONS = ['Audit', 'Deny', 'Warn'];

function matchResources(value: any, field: string, needsRules: boolean): FieldError[] {
  if (!value) return needsRules ? [required(field)] : [];
  const rules: any[] = value.resourceRules ?? [];
  const findings: FieldError[] = needsRules && rules.length === 0 ? [required(`${field}.resourceRules`)] : [];
  for (const [i, rule] of rules.entries())
    findings.push(...ruleWithOperations(rule, `${field}.resourceRules[${i}]`));
  findings.push(
    ...oneOf(value.matchPolicy, ['Equivalent', 'Exact'], `${field}.matchPolicy`),
    ...labelSelector(value.namespaceSelector, `${field}.namespaceSelector`),
    ...labelSelector(value.objectSelector, `${field}.objectSelector`),
  );
  return findings;
}

function paramKind(kind: any, field: string): FieldError[] {
  if (!kind) return [];
  return ['apiVersion', 'kind'].filter(name => !kind[name]).map(name => required(`${field}.${name}`));
}

function validatingPolicy({ spec = {} }: KubeObject): FieldError[] {
  const start = openNames(Boolean(spec.paramKind));
  const composed = variables(spec.variables, 'spec.variables', start);
  const findings = [
    ...oneOf(spec.failurePolicy, ['Fail', 'Ignore'], 'spec.failurePolicy'),
    ...paramKind(spec.paramKind, 'spec.paramKind'),
    ...matchResources(spec.matchConstraints, 'spec.matchConstraints', true),
    ...matchConditions(spec.matchConditions, 'spec.matchConditions', start),
    ...composed.findings,
  ];
  if (!spec.validations?.length && !spec.auditAnnotations?.length)
    findings.push(
      required('spec.validations', 'validations or auditAnnotations must contain at least one item'),
    );
  findings.push(
    ...validations(spec.validations, 'spec.validations', composed.names),
    ...auditAnnotations(spec.auditAnnotations, 'spec.auditAnnotations', composed.names),
  );
  return findings;
}

function mutatingPolicy({ spec = {} }: KubeObject): FieldError[] {
  const mutations: any[] = spec.mutations ?? [];
  const start = openNames(Boolean(spec.paramKind));
  const findings = [
    ...oneOf(spec.failurePolicy, ['Fail', 'Ignore'], 'spec.failurePolicy'),
    ...paramKind(spec.paramKind, 'spec.paramKind'),
    ...matchResources(spec.matchConstraints, 'spec.matchConstraints', true),
    ...matchConditions(spec.matchConditions, 'spec.matchConditions', start),
    ...variables(spec.variables, 'spec.variables', start).findings,
  ];
  if (mutations.length === 0)
    findings.push(required('spec.mutations', 'mutations must contain at least one item'));
  for (const [i, mutation] of mutations.entries())
    if (!['ApplyConfiguration', 'JSONPatch'].includes(mutation.patchType))
      findings.push(
        notSupported(`spec.mutations[${i}].patchType`, mutation.patchType ?? '', [
          'ApplyConfiguration',
          'JSONPatch',
        ]),
      );
  for (const [i, mutation] of mutations.entries()) {
    const part = { ApplyConfiguration: 'applyConfiguration', JSONPatch: 'jsonPatch' }[
      String(mutation.patchType)
    ];
    if (!part) continue;
    const field = `spec.mutations[${i}].${part}`;
    if (!mutation[part])
      findings.push(required(field, `must be specified when patchType is ${mutation.patchType}`));
    else if (!mutation[part].expression?.trim()) findings.push(required(`${field}.expression`));
  }
  if (!spec.reinvocationPolicy) findings.push(required('spec.reinvocationPolicy'));
  return findings;
}

function binding({ spec = {} }: KubeObject, validating: boolean): FieldError[] {
  const findings: FieldError[] = [];
  if (!spec.policyName) findings.push(required('spec.policyName'));
  const ref = spec.paramRef;
  if (ref && Boolean(ref.name) === Boolean(ref.selector))
    findings.push(
      ref.name
        ? {
            ...required('spec.paramRef.name'),
            type: 'Forbidden',
            message: 'Forbidden: name and selector are mutually exclusive',
          }
        : required('spec.paramRef', 'one of name or selector must be specified'),
    );
  const action = ref?.parameterNotFoundAction;
  if (ref && action === undefined) findings.push(required('spec.paramRef.parameterNotFoundAction'));
  findings.push(...oneOf(action, ['Allow', 'Deny'], 'spec.paramRef.parameterNotFoundAction'));
  findings.push(...matchResources(spec.matchResources, 'spec.matchResources', false));
  if (validating) {
    const actions: string[] = spec.validationActions ?? [];
    if (actions.length === 0)
      findings.push(required('spec.validationActions', 'at least one validation action is required'));
    for (const [i, action] of actions.entries())
      if (!ACTIONS.includes(action))
        findings.push(notSupported(`spec.validationActions[${i}]`, action, ACTIONS));
    if (actions.includes('Deny') && actions.includes('Warn'))
      findings.push(
        invalidValue(
          'spec.validationActions',
          actions,
          'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
        ),
      );
  }
  return findings;
}

function paramRefCell(object: KubeObject): string {
  const ref = object.spec?.paramRef;
  if (!ref) return '<unset>';
  if (ref.name) return ref.namespace ? `${ref.namespace}/${ref.name}` : `*/${ref.name}`;
  return ref.selector ? JSON.stringify(ref.selector) : '<unset>';
}

const paramKindCell = (object: KubeObject): string => {
  const kind = object.spec?.paramKind;
  return kind ? `${kind.apiVersion}/${kind.kind}` : '<unset>';
};

const policy = (kind: string, resource: string, validating: boolean): ResourceDefinition => ({
  group: GROUP,
  versions: ['v1'],
  kind,
  resource,
  singular: kind.toLowerCase(),
  categories: ['api-extensions'],
  namespaced: false,
  ...(validating ? { subresources: [statusOf(GROUP, 'v1', kind)] } : {}),
  hasGeneration: true,
  validate: object => (validating ? validatingPolicy(object) : mutatingPolicy(object)),
  columns: [
    NAME,
    validating
      ? integer(
          'Validations',
          'Validations indicates the number of validation rules defined in this configuration',
        )
      : integer(
          'Mutations',
          'Mutations indicates the number of mutations rules defined in this configuration',
        ),
    text('ParamKind', 'ParamKind specifies the kind of resources used to parameterize this policy'),
    AGE,
  ],
  row: (object, context) => [
    object.metadata.name,
    (validating ? object.spec?.validations : object.spec?.mutations)?.length ?? 0,
    paramKindCell(object),
    age(object, context),
  ],
});

const policyBinding = (kind: string, resource: string, validating: boolean): ResourceDefinition => ({
  group: GROUP,
  versions: ['v1'],
  kind,
  resource,
  singular: kind.toLowerCase(),
  categories: ['api-extensions'],
  namespaced: false,
  hasGeneration: true,
  validate: object => binding(object, validating),
  columns: [
    NAME,
    text('PolicyName', 'PolicyName indicates the policy definition which the policy binding binded to'),
    text('ParamRef', 'ParamRef indicates the param resource which sets the configration param'),
    AGE,
  ],
  row: (object, context) => [
    object.metadata.name,
    object.spec?.policyName ?? '',
    paramRefCell(object),
    age(object, context),
  ],
});

export const validatingadmissionpolicies = policy(
  'ValidatingAdmissionPolicy',
  'validatingadmissionpolicies',
  true,
);
export const validatingadmissionpolicybindings = policyBinding(
  'ValidatingAdmissionPolicyBinding',
  'validatingadmissionpolicybindings',
  true,
);
export const mutatingadmissionpolicies = policy(
  'MutatingAdmissionPolicy',
  'mutatingadmissionpolicies',
  false,
);
export const mutatingadmissionpolicybindings = policyBinding(
  'MutatingAdmissionPolicyBinding',
  'mutatingadmissionpolicybindings',
  false,
);
