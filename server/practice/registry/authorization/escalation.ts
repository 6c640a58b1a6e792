// Nobody grants by RBAC what they do not hold, unless they may escalate or bind. Runs with the last admission steps.

import { forbidden } from '../../../kube/index.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../../admission/types.ts';
import type { Authorizer, User } from '../types.ts';
import { type RbacSource, visitRules } from './rbac.ts';
import { compact, type Rule, ruleText, uncovered } from './rules.ts';

const GROUP = 'rbac.authorization.k8s.io';

function rulesOf(source: RbacSource, user: User, namespace: string | undefined): Rule[] {
  const rules: Rule[] = [];
  visitRules(source, user, namespace, ({ rule }) => {
    rules.push(rule);
    return false;
  });
  return rules;
}

function refuse(request: AdmissionRequest, user: User, missing: Rule[]) {
  const groups = user.groups.map(group => JSON.stringify(group)).join(' ');
  const list = compact(missing).map(ruleText).join('\n');
  return forbidden(
    { group: GROUP, resource: request.definition.resource },
    request.name,
    `user ${JSON.stringify(user.name)} (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${list}`,
  );
}

export function escalationGuard(source: RbacSource, authorizer: Authorizer): AdmissionPlugin {
  const may = (user: User, verb: string, resource: string, namespace: string | undefined, name: string) =>
    authorizer.decide({
      user,
      verb,
      group: GROUP,
      version: 'v1',
      resource,
      name,
      ...(namespace ? { namespace } : {}),
    }).allowed;

  function grantedBy(
    request: AdmissionRequest,
  ): { rules: Rule[]; verb: string; resource: string; name: string } | undefined {
    const { object, definition } = request;
    if (!object) return undefined;
    if (definition.resource === 'roles' || definition.resource === 'clusterroles') {
      return {
        rules: object.rules ?? [],
        verb: 'escalate',
        resource: definition.resource,
        name: request.name,
      };
    }
    const { kind, name } = object.roleRef ?? {};
    const resource = kind === 'ClusterRole' ? 'clusterroles' : 'roles';
    const role = source.read(
      { group: GROUP, resource },
      kind === 'ClusterRole' ? undefined : request.namespace,
      name ?? '',
    );
    return { rules: role?.rules ?? [], verb: 'bind', resource, name: name ?? '' };
  }

  return {
    name: 'RBACEscalation',
    validate(request) {
      const { definition, operation, user, namespace, object, old } = request;
      if (definition.group !== GROUP || (operation !== 'CREATE' && operation !== 'UPDATE')) return;
      if (user.groups.includes('system:masters') || user.name.startsWith('system:apiserver')) return;
      if (
        old &&
        object &&
        JSON.stringify([old.rules, old.roleRef, old.subjects]) ===
          JSON.stringify([object.rules, object.roleRef, object.subjects])
      )
        return;
      const granted = grantedBy(request);
      if (!granted || may(user, granted.verb, granted.resource, namespace, granted.name)) return;
      const missing = uncovered(rulesOf(source, user, namespace), granted.rules);
      if (missing.length > 0) throw refuse(request, user, missing);
    },
  };
}
