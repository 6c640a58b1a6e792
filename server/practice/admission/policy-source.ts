// What validating and mutating admission policies have in common: which of them, by which binding and with which parameters,
// look at a request, and what their expressions see. Knows not what a policy does.

import type { KubeObject } from '../../kube/index.ts';
import { labelSelectorMatches } from '../../kube/selectors/index.ts';
import { authorizerValue, celError, celValue, compile, compileMutation, type Program } from '../cel/index.ts';
import {
  namespaceMatches,
  objectMatches,
  type ResourceRule,
  requestVariables,
  ruleMatches,
  type Selector,
} from './matching.ts';
import type { AdmissionContext, AdmissionRequest } from './types.ts';

const GROUP = 'admissionregistration.k8s.io';

interface MatchResources {
  resourceRules?: ResourceRule[];
  excludeResourceRules?: ResourceRule[];
  namespaceSelector?: Selector;
  objectSelector?: Selector;
}

interface ParamRef {
  name?: string;
  namespace?: string;
  selector?: Selector;
  parameterNotFoundAction?: string;
}

/** A policy that is to be asked, with one parameter object (null without any). */
export interface Invocation {
  policy: KubeObject;
  binding: KubeObject;
  param: KubeObject | null;
}

/** A policy or binding that cannot be asked; its failurePolicy decides what that means. */
export interface Misfit {
  policy: KubeObject;
  binding?: KubeObject;
  message: string;
}

const programs = new Map<string, Program>();

/** Compiled once; throws what compiling threw. */
export function programOf(expression: string, language: 'plain' | 'mutation' = 'plain'): Program {
  const key = `${language} ${expression}`;
  let program = programs.get(key);
  if (!program) {
    program = language === 'plain' ? compile(expression) : compileMutation(expression);
    programs.set(key, program);
  }
  return program;
}

/** How an expression that failed reads. */
export function failed(expression: string, error: unknown): string {
  return `expression '${expression}' resulted in error: ${celError(error)}`;
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

/** A policy cannot guard policies: a broken one could never be removed. */
function isExempt({ definition: { group, resource } }: AdmissionRequest): boolean {
  return group === GROUP && /admissionpolic(y|ie)/.test(resource);
}

/** Every policy of `resource` that looks at the request, and those that should but cannot. */
export function invocationsOf(
  resource: 'validatingadmissionpolicies' | 'mutatingadmissionpolicies',
  request: AdmissionRequest,
  context: AdmissionContext,
): { due: Invocation[]; misfits: Misfit[] } {
  const due: Invocation[] = [];
  const misfits: Misfit[] = [];
  if (isExempt(request)) return { due, misfits };
  const policies = context.listAll({ group: GROUP, resource });
  if (policies.length === 0) return { due, misfits };
  const bindings = context.listAll({ group: GROUP, resource: resource.replace(/ies$/, 'ybindings') });
  for (const policy of policies) {
    if (!matches(policy.spec.matchConstraints, request, context, true)) continue;
    for (const binding of bindings) {
      if (binding.spec.policyName !== policy.metadata.name) continue;
      const params = paramsOf(policy, binding, request, context);
      if ('policy' in params) {
        misfits.push(params);
        // What is wrong with the policy itself is said once.
        if (!params.binding) break;
        continue;
      }
      if (!matches(binding.spec.matchResources, request, context, false)) continue;
      for (const param of params) due.push({ policy, binding, param });
    }
  }
  return {
    due,
    misfits: misfits.filter(
      ({ binding }) => !binding || matches(binding.spec.matchResources, request, context, false),
    ),
  };
}

/** The parameter objects that a binding names; a single null when it names none. */
function paramsOf(
  policy: KubeObject,
  binding: KubeObject,
  request: AdmissionRequest,
  context: AdmissionContext,
): (KubeObject | null)[] | Misfit {
  const { paramKind } = policy.spec;
  if (!paramKind) return [null];
  const [version, group = ''] = paramKind.apiVersion.split('/').reverse();
  const resource = context.resourceOf?.({ group, kind: paramKind.kind });
  if (!resource) {
    const kind = `${group ? `${group}/` : ''}${version}, Kind=${paramKind.kind}`;
    const message = `failed to configure policy: failed to find resource referenced by paramKind: '${kind}'`;
    return { policy, message };
  }
  const reference: ParamRef | undefined = binding.spec.paramRef;
  if (!reference) return [null];
  const misfit = (why: string): Misfit => ({
    policy,
    binding,
    message: `failed to configure binding: ${why}`,
  });
  if (!resource.namespaced && reference.namespace)
    return misfit('paramRef.namespace must not be provided for a cluster-scoped `paramKind`');
  const namespace = resource.namespaced ? reference.namespace || request.namespace : undefined;
  if (resource.namespaced && !namespace)
    return misfit('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources');
  const found = context
    .listAll(resource, namespace)
    .filter(candidate =>
      reference.name
        ? candidate.metadata.name === reference.name
        : labelSelectorMatches(reference.selector, candidate.metadata.labels),
    );
  if (found.length === 0 && reference.parameterNotFoundAction === 'Deny')
    return misfit('no params found for policy binding with `Deny` parameterNotFoundAction');
  return found;
}

/** What the expressions of one invocation see. Variables are computed when they are first looked at. */
export function scopeOf(
  { policy, param }: Invocation,
  request: AdmissionRequest,
  context: AdmissionContext,
): Record<string, unknown> {
  const { definition, namespace, name, subresource, user } = request;
  const authorizer = authorizerValue(
    ({ serviceAccount, ...question }) => {
      const asked = serviceAccount ? accountUser(serviceAccount) : user;
      return context.authorize?.(asked, question) ?? { allowed: false };
    },
    {
      group: definition.group,
      resource: definition.resource,
      ...(namespace ? { namespace } : {}),
      ...(name ? { name } : {}),
      ...(subresource ? { subresource } : {}),
    },
  );
  const scope = celValue({ ...requestVariables(request, context), params: param }) as Record<string, unknown>;
  scope.authorizer = authorizer;
  const variables = {};
  scope.variables = variables;
  for (const { name: variable, expression } of (policy.spec.variables ?? []) as NamedExpression[]) {
    let known: { value: unknown } | undefined;
    Object.defineProperty(variables, variable, {
      enumerable: true,
      configurable: true,
      get() {
        try {
          known ??= { value: programOf(expression)(scope) };
        } catch (error) {
          throw new Error(`composited variable "${variable}" fails to evaluate: ${celError(error)}`);
        }
        return known.value;
      },
    });
  }
  return scope;
}

interface NamedExpression {
  name: string;
  expression: string;
}

const accountUser = ({ namespace, name }: { namespace: string; name: string }) => ({
  name: `system:serviceaccount:${namespace}:${name}`,
  groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
});

/** True when every match condition holds, false when one does not; a text when one failed. */
export function conditionsHold(policy: KubeObject, scope: Record<string, unknown>): boolean | string {
  let failure: string | undefined;
  for (const { expression } of (policy.spec.matchConditions ?? []) as NamedExpression[]) {
    try {
      if (programOf(expression)(scope) !== true) return false;
    } catch (error) {
      failure ??= failed(expression, error);
    }
  }
  return failure ?? true;
}
