// ValidatingAdmissionPolicy: CEL expressions that bindings put in force. Nothing leaves the process.

import { type KubeObject, StatusError } from '../../kube/index.ts';
import { labelSelectorMatches } from '../../kube/selectors/index.ts';
import { celError, celValue, compile, type Program } from '../cel/index.ts';
import {
  namespaceMatches,
  objectMatches,
  type ResourceRule,
  requestVariables,
  ruleMatches,
  type Selector,
} from './matching.ts';
import { refuse } from './requests.ts';
import type { AdmissionContext, AdmissionPlugin, AdmissionRequest } from './types.ts';

const GROUP = 'admissionregistration.k8s.io';

interface MatchResources {
  resourceRules?: ResourceRule[];
  excludeResourceRules?: ResourceRule[];
  namespaceSelector?: Selector;
  objectSelector?: Selector;
}

interface Validation {
  expression: string;
  message?: string;
  messageExpression?: string;
  reason?: string;
}

interface ParamRef {
  name?: string;
  namespace?: string;
  selector?: Selector;
  parameterNotFoundAction?: string;
}

/** One expression that did not hold. */
interface Denial {
  message: string;
  reason: string;
}

const compiled = new Map<string, Program>();

function programOf(expression: string): Program {
  let program = compiled.get(expression);
  if (!program) {
    program = compile(expression);
    compiled.set(expression, program);
  }
  return program;
}

function matches(
  resources: MatchResources | undefined,
  request: AdmissionRequest,
  context: AdmissionContext,
  needsRules: boolean,
): boolean {
  if (!resources) return !needsRules;
  const { resourceRules, excludeResourceRules } = resources;
  if (excludeResourceRules?.some(rule => ruleMatches(rule, request))) return false;
  if ((needsRules || resourceRules) && !(resourceRules ?? []).some(rule => ruleMatches(rule, request)))
    return false;
  return (
    namespaceMatches(resources.namespaceSelector, request, context) &&
    objectMatches(resources.objectSelector, request)
  );
}

/** The parameter objects a binding names; undefined when it names none. */
function paramsOf(
  policy: KubeObject,
  binding: KubeObject,
  request: AdmissionRequest,
  context: AdmissionContext,
): (KubeObject | null)[] | 'missing' {
  const { paramKind } = policy.spec;
  const reference: ParamRef | undefined = binding.spec.paramRef;
  if (!paramKind || !reference) return [null];
  const group = paramKind.apiVersion.includes('/') ? paramKind.apiVersion.split('/')[0] : '';
  const resource = context.resourceOf?.({ group, kind: paramKind.kind });
  const namespace = reference.namespace ?? request.namespace;
  const found = resource
    ? context
        .listAll(resource, namespace)
        .filter(candidate =>
          reference.name
            ? candidate.metadata.name === reference.name
            : labelSelectorMatches(reference.selector, candidate.metadata.labels),
        )
    : [];
  return found.length > 0 ? found : 'missing';
}

function denialsOf(policy: KubeObject, variables: Record<string, unknown>): Denial[] {
  const { validations = [], variables: named = [], failurePolicy = 'Fail' } = policy.spec;
  const lazy: Record<string, unknown> = {};
  const scope = { ...variables, variables: lazy };
  for (const { name, expression } of named as { name: string; expression: string }[]) {
    try {
      lazy[name] = programOf(expression)(scope);
    } catch {
      // Whoever uses the variable fails on it.
    }
  }
  const denials: Denial[] = [];
  for (const validation of validations as Validation[]) {
    const { expression, reason = 'Invalid' } = validation;
    try {
      if (programOf(expression)(scope) === true) continue;
      denials.push({ message: messageOf(validation, scope), reason });
    } catch (error) {
      if (failurePolicy === 'Ignore') continue;
      denials.push({
        message: `expression '${expression}' resulted in error: ${celError(error)}`,
        reason: 'Invalid',
      });
    }
  }
  return denials;
}

function messageOf(validation: Validation, scope: Record<string, unknown>): string {
  if (validation.messageExpression) {
    try {
      const text = programOf(validation.messageExpression)(scope);
      if (typeof text === 'string' && text.trim()) return text.trim();
    } catch {
      // The plain message stands in.
    }
  }
  return validation.message?.trim() || `failed expression: ${validation.expression.trim()}`;
}

const CODES: Record<string, number> = {
  Invalid: 422,
  Forbidden: 403,
  Unauthorized: 401,
  RequestEntityTooLarge: 413,
};

function denied(
  request: AdmissionRequest,
  policy: string,
  binding: string,
  { message, reason }: Denial,
): StatusError {
  const { status } = refuse(
    request,
    `ValidatingAdmissionPolicy '${policy}' with binding '${binding}' denied request: ${message}`,
  );
  return new StatusError({
    ...status,
    reason,
    code: CODES[reason] ?? 422,
    details: { ...status.details, causes: [{ reason: '', message: status.message ?? '' }] },
  });
}

function conditionsHold(policy: KubeObject, variables: Record<string, unknown>): boolean {
  return ((policy.spec.matchConditions ?? []) as { expression: string }[]).every(({ expression }) => {
    try {
      return programOf(expression)(variables) === true;
    } catch {
      return false;
    }
  });
}

function enforce(
  request: AdmissionRequest,
  context: AdmissionContext,
  policy: KubeObject,
  binding: KubeObject,
  facts: Record<string, unknown>,
): void {
  const actions: string[] = binding.spec.validationActions ?? [];
  const params = paramsOf(policy, binding, request, context);
  const names = [policy.metadata.name, binding.metadata.name] as const;
  if (params === 'missing') {
    if (binding.spec.paramRef?.parameterNotFoundAction === 'Allow') return;
    const message =
      'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction';
    throw denied(request, ...names, { message, reason: 'Invalid' });
  }
  for (const param of params) {
    const variables = celValue({ ...facts, params: param }) as Record<string, unknown>;
    if (!conditionsHold(policy, variables)) continue;
    for (const denial of denialsOf(policy, variables)) {
      if (actions.includes('Warn')) {
        context.warn(
          `Validation failed for ValidatingAdmissionPolicy '${names[0]}' with binding '${names[1]}': ${denial.message}`,
        );
      }
      if (actions.includes('Deny')) throw denied(request, ...names, denial);
    }
  }
}

export const validatingPolicies: AdmissionPlugin = {
  name: 'ValidatingAdmissionPolicy',
  validate(request, context) {
    if (request.definition.group === GROUP) return;
    const policies = context.listAll({ group: GROUP, resource: 'validatingadmissionpolicies' });
    if (policies.length === 0) return;
    const bindings = context.listAll({ group: GROUP, resource: 'validatingadmissionpolicybindings' });
    for (const policy of policies) {
      if (!matches(policy.spec.matchConstraints, request, context, true)) continue;
      for (const binding of bindings) {
        if (binding.spec.policyName !== policy.metadata.name) continue;
        if (!matches(binding.spec.matchResources, request, context, false)) continue;
        enforce(request, context, policy, binding, requestVariables(request, context));
      }
    }
  },
};
