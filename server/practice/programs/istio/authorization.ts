// Which requests Istio's authorization policies concern, and what they say of them. Pure; knows no connections.

import type { KubeObject } from '../../../kube/index.ts';

/** What a rule may ask about. `principal` is `issuer/subject` of the token that was accepted. */
export interface Asked {
  method: string;
  /** Without query. */
  path: string;
  headers: Record<string, string>;
  principal?: string | undefined;
}

/** As written in the object: any source, any operation, all conditions. */
export interface Rule {
  from?: { source?: Record<string, string[]> }[];
  to?: { operation?: Record<string, string[]> }[];
  when?: { key: string; values?: string[]; notValues?: string[] }[];
}

export interface Policy {
  namespace: string;
  name: string;
  action: 'ALLOW' | 'DENY';
  rules: Rule[];
}

/** Istio's matching of strings: exact, `prefix*`, `*suffix`, and `*` for anything that is there. */
function fits(pattern: string, value: string | undefined): boolean {
  if (value === undefined) return false;
  if (pattern === '*') return value !== '';
  if (pattern.endsWith('*')) return value.startsWith(pattern.replace(/\*+$/, ''));
  if (pattern.startsWith('*')) return value.endsWith(pattern.slice(1));
  return pattern === value;
}

const anyFits = (patterns: readonly string[], value: string | undefined) =>
  patterns.some(pattern => fits(pattern, value));

/** All fields of a source or an operation; `notX` is the opposite of `x`. A field that is not known here fits nothing. */
function fieldsHold(fields: Record<string, string[]>, lookUp: (name: string) => string | undefined): boolean {
  return Object.entries(fields).every(([field, patterns]) => {
    const opposite = /^not([A-Z].*)$/.exec(field);
    const name = opposite ? opposite[1]!.charAt(0).toLowerCase() + opposite[1]!.slice(1) : field;
    return anyFits(patterns, lookUp(name)) !== (opposite !== null);
  });
}

function conditionValue(key: string, { headers, principal }: Asked): string | undefined {
  const header = /^request\.headers\[(.+)\]$/.exec(key)?.[1];
  if (header !== undefined) return headers[header.toLowerCase()];
  return key === 'request.auth.principal' ? principal : undefined;
}

/** Whether one rule concerns a request. Nobody proves to a gateway who he is, so sources of the mesh have no value. */
export function ruleHolds({ from = [], to = [], when = [] }: Rule, asked: Asked): boolean {
  const source = (name: string) => (name === 'requestPrincipals' ? asked.principal : undefined);
  const operation = (name: string) =>
    name === 'paths'
      ? asked.path
      : name === 'methods'
        ? asked.method
        : name === 'hosts'
          ? asked.headers['host']
          : undefined;
  return (
    (from.length === 0 || from.some(one => fieldsHold(one.source ?? {}, source))) &&
    (to.length === 0 || to.some(one => fieldsHold(one.operation ?? {}, operation))) &&
    when.every(({ key, values, notValues }) => {
      const value = conditionValue(key, asked);
      return (!values || anyFits(values, value)) && (!notValues || !anyFits(notValues, value));
    })
  );
}

/** Undefined when the request may go on, else what Envoy's log calls the refusal. */
export function refusalOf(policies: readonly Policy[], asked: Asked): string | undefined {
  const matched = (action: Policy['action']) => {
    for (const { namespace, name, rules, ...policy } of policies) {
      const index = policy.action === action ? rules.findIndex(rule => ruleHolds(rule, asked)) : -1;
      if (index >= 0) return `ns[${namespace}]-policy[${name}]-rule[${index}]`;
    }
    return undefined;
  };
  const denied = matched('DENY');
  if (denied) return `rbac_access_denied_matched_policy[${denied}]`;
  const allowing = policies.some(({ action }) => action === 'ALLOW');
  return allowing && !matched('ALLOW') ? 'rbac_access_denied_matched_policy[none]' : undefined;
}

/** The policies of one action that are about a workload: its own namespace's and the root namespace's. */
export function policiesFor(
  objects: readonly KubeObject[],
  action: string,
  concerns: (object: KubeObject) => boolean,
): KubeObject[] {
  return objects.filter(object => (object['spec']?.action ?? 'ALLOW') === action && concerns(object));
}
