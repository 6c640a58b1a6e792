// Admission policies and their bindings, validating and mutating.

import {
  duplicate,
  type FieldError,
  invalidValue,
  type KubeObject,
  notSupported,
  required,
} from '../../../kube/index.ts';
import {
  checkExpression,
  compileProblem,
  DYN,
  ERROR,
  type Expected,
  type Names,
  policyNames,
  withVariable,
} from '../../cel/index.ts';
import { AGE, age, integer, NAME, text } from '../format.ts';
import { statusOf } from '../parts.ts';
import type { ResourceDefinition } from '../types.ts';
import { labelSelector, oneOf } from '../validation/common.ts';
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

/** What upstream finds when it compiles an expression; nothing when there is none. */
function compiled(expression: any, field: string, expected: Expected): FieldError[] {
  if (typeof expression !== 'string' || expression.trim() === '') return [];
  const problem = compileProblem(expression, expected);
  if (!problem) return [];
  const text =
    problem.kind === 'type' ? `must evaluate to ${expected.type} but got ${problem.got}` : problem.text;
  return [invalidValue(field, expression, text)];
}

type Parts = Record<string, Expected['type']>;

function compiledParts(spec: any): FieldError[] {
  // Kinds are left open here: one policy may be for several. What they lack is told in its status.
  const start = policyNames(DYN, spec.paramKind ? DYN : undefined);
  const each = (list: any[] = [], at: string, parts: Parts, names: Names) =>
    list.flatMap((item, i) =>
      Object.entries(parts).flatMap(([part, type]) =>
        compiled(item?.[part], `${at}[${i}].${part}`, { names, ...(type ? { type } : {}) }),
      ),
    );
  // Conditions are asked before there are variables, and what they find there is not looked into.
  const open = new Map(start).set('variables', ERROR);
  const findings = each(spec.matchConditions, 'spec.matchConditions', { expression: 'bool' }, open);
  let names = start;
  for (const [i, variable] of (spec.variables ?? []).entries()) {
    const expression: unknown = variable?.expression;
    findings.push(...compiled(expression, `spec.variables[${i}].expression`, { names }));
    const type = typeof expression === 'string' ? checkExpression(expression, names).type : DYN;
    names = withVariable(names, String(variable?.name), type);
  }
  return [
    ...findings,
    ...each(spec.validations, 'spec.validations', { expression: 'bool', messageExpression: 'string' }, names),
    ...each(spec.auditAnnotations, 'spec.auditAnnotations', { valueExpression: undefined }, names),
  ];
}

function matchConditions(list: any[] = [], field: string): FieldError[] {
  return list.flatMap((condition, i) => [
    ...(condition.name ? [] : [required(`${field}[${i}].name`)]),
    ...(condition.expression?.trim() ? [] : [required(`${field}[${i}].expression`)]),
  ]);
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

function variables(list: any[] = [], field: string): FieldError[] {
  const seen = new Set<string>();
  return list.flatMap((variable, i) => {
    const at = `${field}[${i}]`;
    const name: string = variable.name ?? '';
    const findings: FieldError[] = [];
    if (!name) findings.push(required(`${at}.name`, 'name is not specified'));
    else if (!IDENTIFIER.test(name))
      findings.push(invalidValue(`${at}.name`, name, 'name is not a valid CEL identifier'));
    if (name && seen.has(name)) findings.push(duplicate(`${at}.name`, name));
    seen.add(name);
    if (!variable.expression?.trim())
      findings.push(required(`${at}.expression`, 'expression is not specified'));
    return findings;
  });
}

function validatingPolicy({ spec = {} }: KubeObject): FieldError[] {
  const validations: any[] = spec.validations ?? [];
  const findings: FieldError[] = [];
  findings.push(
    ...oneOf(spec.failurePolicy, ['Fail', 'Ignore'], 'spec.failurePolicy'),
    ...paramKind(spec.paramKind, 'spec.paramKind'),
  );
  findings.push(...matchResources(spec.matchConstraints, 'spec.matchConstraints', true));
  findings.push(
    ...matchConditions(spec.matchConditions, 'spec.matchConditions'),
    ...variables(spec.variables, 'spec.variables'),
  );
  if (validations.length === 0 && !spec.auditAnnotations?.length)
    findings.push(
      required('spec.validations', 'validations or auditAnnotations must contain at least one item'),
    );
  for (const [i, rule] of validations.entries())
    if (!rule.expression?.trim())
      findings.push(required(`spec.validations[${i}].expression`, 'expression is not specified'));
  findings.push(...compiledParts(spec));
  return findings;
}

function mutatingPolicy({ spec = {} }: KubeObject): FieldError[] {
  const mutations: any[] = spec.mutations ?? [];
  const findings = [
    ...oneOf(spec.failurePolicy, ['Fail', 'Ignore'], 'spec.failurePolicy'),
    ...paramKind(spec.paramKind, 'spec.paramKind'),
    ...matchResources(spec.matchConstraints, 'spec.matchConstraints', true),
    ...matchConditions(spec.matchConditions, 'spec.matchConditions'),
    ...variables(spec.variables, 'spec.variables'),
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
  findings.push(...compiledParts(spec));
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
