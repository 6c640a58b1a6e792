// The RBAC authorizer: reads roles and bindings from the store at each question, so what it says is what is stored.

import type { KubeObject } from '../../../kube/index.ts';
import type { AccessAttributes, AccessDecision, Authorizer, User } from '../types.ts';
import { allowsPath, allowsResource, type Rule } from './rules.ts';

const GROUP = 'rbac.authorization.k8s.io';

/** What the authorizer needs of the cluster. */
export interface RbacSource {
  listAll(resource: { group: string; resource: string }, namespace?: string): readonly KubeObject[];
  read(
    resource: { group: string; resource: string },
    namespace: string | undefined,
    name: string,
  ): KubeObject | undefined;
}

interface Subject {
  kind: string;
  name: string;
  namespace?: string;
}

/** One rule that holds for a user, and where it comes from. */
export interface GrantedRule {
  rule: Rule;
  binding: KubeObject;
  subject: Subject;
}

function subjectMatches(subject: Subject, user: User, bindingNamespace: string | undefined): boolean {
  switch (subject.kind) {
    case 'User':
      return subject.name === user.name;
    case 'Group':
      return user.groups.includes(subject.name);
    case 'ServiceAccount':
      return user.name === `system:serviceaccount:${subject.namespace ?? bindingNamespace}:${subject.name}`;
    default:
      return false;
  }
}

/** Walks all rules that apply in `namespace` (cluster-wide ones only when absent), until `visit` answers true. */
export function visitRules(
  source: RbacSource,
  user: User,
  namespace: string | undefined,
  visit: (granted: GrantedRule) => boolean,
): { missing: string[] } {
  const missing: string[] = [];
  const walk = (binding: KubeObject): boolean => {
    const subjects: Subject[] = binding.subjects ?? [];
    const subject = subjects.find(candidate => subjectMatches(candidate, user, binding.metadata.namespace));
    if (!subject) return false;
    const { kind, name } = binding.roleRef;
    const role =
      kind === 'ClusterRole'
        ? source.read({ group: GROUP, resource: 'clusterroles' }, undefined, name)
        : source.read({ group: GROUP, resource: 'roles' }, binding.metadata.namespace, name);
    if (!role) {
      missing.push(`${kind.toLowerCase()}.${GROUP} "${name}" not found`);
      return false;
    }
    return ((role.rules ?? []) as Rule[]).some(rule => visit({ rule, binding, subject }));
  };
  if (source.listAll({ group: GROUP, resource: 'clusterrolebindings' }).some(walk)) return { missing };
  if (namespace) source.listAll({ group: GROUP, resource: 'rolebindings' }, namespace).some(walk);
  return { missing };
}

export function rbacAuthorizer(source: RbacSource): Authorizer {
  return {
    decide(attributes) {
      const { user } = attributes;
      if (user.groups.includes('system:masters')) return { allowed: true };
      let reason: string | undefined;
      const namespace = 'path' in attributes ? undefined : attributes.namespace;
      const { missing } = visitRules(source, user, namespace, granted => {
        if (!allows(granted.rule, attributes)) return false;
        reason = `RBAC: allowed by ${describe(granted)}`;
        return true;
      });
      if (reason !== undefined) return { allowed: true, reason };
      const denied: AccessDecision = { allowed: false };
      if (missing.length > 0)
        denied.reason = `RBAC: ${missing.length === 1 ? missing[0] : `[${missing.join(', ')}]`}`;
      return denied;
    },
  };
}

export const allowAll: Authorizer = { decide: () => ({ allowed: true }) };

function allows(rule: Rule, attributes: AccessAttributes): boolean {
  return 'path' in attributes
    ? allowsPath(rule, attributes.verb, attributes.path)
    : allowsResource(rule, attributes);
}

/** `ClusterRoleBinding "b" of ClusterRole "r" to Group "g"`. */
function describe({ binding, subject }: GrantedRule): string {
  const { kind, name } = binding.roleRef;
  const label = binding.metadata.namespace
    ? `${binding.metadata.name}/${binding.metadata.namespace}`
    : binding.metadata.name;
  const who =
    subject.kind === 'ServiceAccount'
      ? `ServiceAccount "${subject.name}/${subject.namespace ?? binding.metadata.namespace}"`
      : `${subject.kind} "${subject.name}"`;
  return `${binding.kind} "${label}" of ${kind} "${name}" to ${who}`;
}
