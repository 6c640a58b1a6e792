// Whether a webhook or policy is meant for a request: resource rules, selectors and CEL conditions. Knows neither of them.

import type { KubeObject } from '../../kube/index.ts';
import { labelSelectorMatches } from '../../kube/selectors/index.ts';
import type { AdmissionContext, AdmissionRequest } from './types.ts';

export interface ResourceRule {
  apiGroups?: string[];
  apiVersions?: string[];
  operations?: string[];
  resources?: string[];
  resourceNames?: string[];
  scope?: string;
}

export type Selector = Parameters<typeof labelSelectorMatches>[0];

const has = (list: readonly string[] | undefined, value: string) =>
  list === undefined || list.includes('*') || list.includes(value);

function resourceMatches(
  patterns: readonly string[] | undefined,
  resource: string,
  subresource: string | undefined,
): boolean {
  return (patterns ?? []).some(pattern => {
    const [wanted = '', wantedSub] = pattern.split('/');
    if (wanted !== '*' && wanted !== resource) return false;
    if (wantedSub === undefined) return subresource === undefined;
    return wantedSub === '*' || wantedSub === subresource;
  });
}

export function ruleMatches(rule: ResourceRule, request: AdmissionRequest): boolean {
  const { definition, operation, subresource, version, name } = request;
  if (!has(rule.operations, operation) || !has(rule.apiGroups, definition.group)) return false;
  // A rule for one version means all of them: the object is the same (matchPolicy Equivalent).
  const versions = [version, ...definition.versions];
  if (!versions.some(candidate => has(rule.apiVersions, candidate))) return false;
  if (rule.scope === 'Cluster' && definition.namespaced) return false;
  if (rule.scope === 'Namespaced' && !definition.namespaced) return false;
  if (rule.resourceNames?.length && !rule.resourceNames.includes(name)) return false;
  return resourceMatches(rule.resources, definition.resource, subresource);
}

const isEmpty = (selector: Selector) =>
  !selector || (!Object.keys(selector.matchLabels ?? {}).length && !selector.matchExpressions?.length);

/** Cluster-scoped objects have no namespace to select by; a namespace is selected by its own labels. */
export function namespaceMatches(
  selector: Selector,
  request: AdmissionRequest,
  context: AdmissionContext,
): boolean {
  if (isEmpty(selector)) return true;
  const { definition, object, old, namespace } = request;
  const isNamespace = definition.group === '' && definition.resource === 'namespaces';
  if (isNamespace) return labelSelectorMatches(selector, (object ?? old)?.metadata.labels);
  if (!namespace) return true;
  const found = context.read({ group: '', resource: 'namespaces' }, undefined, namespace);
  return labelSelectorMatches(selector, found?.metadata.labels);
}

export function objectMatches(selector: Selector, request: AdmissionRequest): boolean {
  if (isEmpty(selector)) return true;
  const matches = (object: KubeObject | undefined) =>
    object !== undefined && labelSelectorMatches(selector, object.metadata.labels);
  return matches(request.object) || matches(request.old);
}

/** What CEL sees of a request. */
export function requestVariables(
  request: AdmissionRequest,
  context: AdmissionContext,
): Record<string, unknown> {
  const { definition, version, subresource, namespace, user, operation, dryRun, name, object, old } = request;
  const { group, kind, resource } = definition;
  return {
    object: object ?? null,
    oldObject: old ?? null,
    request: {
      kind: { group, version, kind },
      resource: { group, version, resource },
      subResource: subresource ?? '',
      requestKind: { group, version, kind },
      requestResource: { group, version, resource },
      name,
      namespace: namespace ?? '',
      operation,
      userInfo: { username: user.name, uid: user.uid ?? '', groups: user.groups, extra: user.extra ?? {} },
      dryRun,
      options: request.options ?? null,
    },
    namespaceObject: namespace
      ? (context.read({ group: '', resource: 'namespaces' }, undefined, namespace) ?? null)
      : null,
  };
}
