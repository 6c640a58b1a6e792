// What RBAC rules say: whether a rule covers a request, whether rules cover other rules. Knows no bindings and no store.

/** A PolicyRule of rbac.authorization.k8s.io/v1. */
export interface Rule {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

const has = (list: readonly string[] | undefined, value: string) =>
  list !== undefined && (list.includes('*') || list.includes(value));

/** `resource` is `pods` or `pods/log`. */
function resourceMatches(rule: Rule, resource: string, subresource: string | undefined): boolean {
  const combined = subresource ? `${resource}/${subresource}` : resource;
  return (rule.resources ?? []).some(
    entry =>
      entry === '*' || entry === combined || (subresource !== undefined && entry === `*/${subresource}`),
  );
}

export function allowsResource(
  rule: Rule,
  request: { verb: string; group: string; resource: string; subresource?: string; name?: string },
): boolean {
  return (
    has(rule.verbs, request.verb) &&
    has(rule.apiGroups, request.group) &&
    resourceMatches(rule, request.resource, request.subresource) &&
    (!rule.resourceNames?.length || (request.name !== undefined && rule.resourceNames.includes(request.name)))
  );
}

export function allowsPath(rule: Rule, verb: string, path: string): boolean {
  if (!has(rule.verbs, verb)) return false;
  return (rule.nonResourceURLs ?? []).some(
    entry => entry === '*' || entry === path || (entry.endsWith('*') && path.startsWith(entry.slice(0, -1))),
  );
}

/** The rules in `wanted` that `held` do not cover, each split down to one verb, group, resource and name. */
export function uncovered(held: readonly Rule[], wanted: readonly Rule[]): Rule[] {
  return wanted.flatMap(split).filter(small => !held.some(rule => covers(rule, small)));
}

function split(rule: Rule): Rule[] {
  const small: Rule[] = [];
  for (const verb of rule.verbs ?? []) {
    for (const group of rule.apiGroups ?? [])
      for (const resource of rule.resources ?? []) {
        const base = { verbs: [verb], apiGroups: [group], resources: [resource] };
        if (!rule.resourceNames?.length) small.push(base);
        for (const name of rule.resourceNames ?? []) small.push({ ...base, resourceNames: [name] });
      }
    for (const url of rule.nonResourceURLs ?? []) small.push({ verbs: [verb], nonResourceURLs: [url] });
  }
  return small;
}

function covers(rule: Rule, small: Rule): boolean {
  if (!has(rule.verbs, small.verbs[0] as string)) return false;
  const url = small.nonResourceURLs?.[0];
  if (url !== undefined) {
    return (rule.nonResourceURLs ?? []).some(
      entry => entry === '*' || entry === url || (entry.endsWith('*') && url.startsWith(entry.slice(0, -1))),
    );
  }
  const [resource = '', subresource] = (small.resources?.[0] ?? '').split('/');
  if (!has(rule.apiGroups, small.apiGroups?.[0] as string)) return false;
  if (!resourceMatches(rule, resource, subresource)) return false;
  if (!rule.resourceNames?.length) return true;
  const name = small.resourceNames?.[0];
  return name !== undefined && rule.resourceNames.includes(name);
}

/** As Go prints a rule in the escalation error. */
export function ruleText(rule: Rule): string {
  const list = (values: readonly string[] | undefined) =>
    `[${(values ?? []).map(value => JSON.stringify(value)).join(', ')}]`;
  const parts: string[] = [];
  if (rule.apiGroups?.length) parts.push(`APIGroups:${list(rule.apiGroups)}`);
  if (rule.resources?.length) parts.push(`Resources:${list(rule.resources)}`);
  if (rule.nonResourceURLs?.length) parts.push(`NonResourceURLs:${list(rule.nonResourceURLs)}`);
  if (rule.resourceNames?.length) parts.push(`ResourceNames:${list(rule.resourceNames)}`);
  if (rule.verbs?.length) parts.push(`Verbs:${list(rule.verbs)}`);
  return `{${parts.join(', ')}}`;
}

/** Rules that differ only in their verbs become one, as upstream compacts them before printing. */
export function compact(rules: readonly Rule[]): Rule[] {
  const merged = new Map<string, Rule>();
  for (const rule of rules) {
    const { verbs, ...rest } = rule;
    const key = JSON.stringify(rest);
    const known = merged.get(key);
    if (!known) merged.set(key, { ...rule, verbs: [...verbs] });
    else for (const verb of verbs) if (!known.verbs.includes(verb)) known.verbs.push(verb);
  }
  return [...merged.values()];
}
