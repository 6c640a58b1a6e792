// Kinds that are questions, not objects: who am I, may I, what may I, whose token is this. Nothing of them is stored.

import type { KubeObject } from '../../kube/index.ts';
import { badRequest, invalid, StatusError } from '../../kube/index.ts';
import { type RbacSource, visitRules } from './authorization/index.ts';
import { type Environment, listAny, readAny } from './environment.ts';
import { authenticateToken, DEFAULT_AUDIENCE, type TokenKeys } from './tokens.ts';
import type { AccessAttributes, RequestContext, ServedResource, User } from './types.ts';

type Answer = (
  environment: Environment,
  keys: TokenKeys,
  context: RequestContext,
  review: KubeObject,
) => Record<string, unknown>;

interface AccessSpec {
  resourceAttributes?: {
    verb?: string;
    group?: string;
    version?: string;
    resource?: string;
    subresource?: string;
    namespace?: string;
    name?: string;
  };
  nonResourceAttributes?: { verb?: string; path?: string };
  user?: string;
  groups?: string[];
  uid?: string;
  extra?: Record<string, string[]>;
}

function attributesOf(spec: AccessSpec, user: User): AccessAttributes {
  const { resourceAttributes: asked, nonResourceAttributes: path } = spec;
  if (asked) {
    return {
      user,
      verb: asked.verb ?? '',
      group: asked.group ?? '',
      resource: asked.resource ?? '',
      ...(asked.version ? { version: asked.version } : {}),
      ...(asked.subresource ? { subresource: asked.subresource } : {}),
      ...(asked.namespace ? { namespace: asked.namespace } : {}),
      ...(asked.name ? { name: asked.name } : {}),
    };
  }
  return { user, verb: path?.verb ?? '', path: path?.path ?? '' };
}

function decide(environment: Environment, review: KubeObject, user: User): Record<string, unknown> {
  const spec: AccessSpec = review.spec ?? {};
  if (Boolean(spec.resourceAttributes) === Boolean(spec.nonResourceAttributes)) {
    throw badRequest('exactly one of nonResourceAttributes or resourceAttributes must be specified');
  }
  const { allowed, reason } = environment.authorizer.decide(attributesOf(spec, user));
  return { allowed, ...(reason ? { reason } : {}) };
}

function subjectUser(spec: AccessSpec): User {
  if (!spec.user && !spec.groups?.length) {
    throw invalid({ group: 'authorization.k8s.io', kind: 'SubjectAccessReview' }, '', [
      {
        field: 'spec.user',
        type: 'Invalid',
        message: 'Invalid value: "": at least one of user or group must be specified',
      },
    ]);
  }
  return {
    name: spec.user ?? '',
    groups: spec.groups ?? [],
    ...(spec.uid ? { uid: spec.uid } : {}),
    ...(spec.extra ? { extra: spec.extra } : {}),
  };
}

const subjectAccess: Answer = (environment, _keys, _context, review) =>
  decide(environment, review, subjectUser(review.spec ?? {}));

/** By `group/resource`. */
const ANSWERS: Readonly<Record<string, Answer>> = {
  'authentication.k8s.io/selfsubjectreviews': (_environment, _keys, { user }) => ({
    userInfo: {
      username: user.name,
      ...(user.uid ? { uid: user.uid } : {}),
      groups: user.groups,
      ...(user.extra ? { extra: user.extra } : {}),
    },
  }),

  'authentication.k8s.io/tokenreviews': (environment, keys, _context, review) => {
    const found = authenticateToken(environment, keys, review.spec?.token ?? '');
    const wanted: string[] = review.spec?.audiences ?? [DEFAULT_AUDIENCE];
    const audiences = wanted.filter(audience => found?.audiences.includes(audience));
    if (!found || audiences.length === 0) {
      return { authenticated: false, user: {}, error: '[invalid bearer token, token lookup failed]' };
    }
    const { name, uid, groups, extra } = found.user;
    return {
      authenticated: true,
      user: { username: name, ...(uid ? { uid } : {}), groups, ...(extra ? { extra } : {}) },
      audiences,
    };
  },

  'authorization.k8s.io/selfsubjectaccessreviews': (environment, _keys, context, review) =>
    decide(environment, review, context.user),
  'authorization.k8s.io/subjectaccessreviews': subjectAccess,
  'authorization.k8s.io/localsubjectaccessreviews': subjectAccess,

  'authorization.k8s.io/selfsubjectrulesreviews': (environment, _keys, context, review) => {
    if (!review.spec?.namespace) throw badRequest('no namespace on request');
    return rulesFor(environment, context.user, review.spec.namespace);
  },
};

export function isReview(served: ServedResource): boolean {
  return `${served.definition.group}/${served.definition.resource}` in ANSWERS;
}

export function answerReview(
  environment: Environment,
  keys: TokenKeys,
  context: RequestContext,
  served: ServedResource,
  review: KubeObject,
): KubeObject {
  const answer = ANSWERS[`${served.definition.group}/${served.definition.resource}`];
  if (!answer) throw new StatusError({ message: 'not a review', code: 500 });
  return { ...review, status: answer(environment, keys, context, review) };
}

function rulesFor(environment: Environment, user: User, namespace: string): Record<string, unknown> {
  const resourceRules: Record<string, unknown>[] = [];
  const nonResourceRules: Record<string, unknown>[] = [];
  const source: RbacSource = {
    read: (resource, where, name) => readAny(environment, resource, where, name),
    listAll: (resource, where) => listAny(environment, resource, where),
  };
  visitRules(source, user, namespace, ({ rule }) => {
    const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } = rule;
    if (resources?.length) {
      resourceRules.push({
        verbs,
        apiGroups: apiGroups ?? [],
        resources,
        ...(resourceNames?.length ? { resourceNames } : {}),
      });
    }
    if (nonResourceURLs?.length) nonResourceRules.push({ verbs, nonResourceURLs });
    return false;
  });
  return { resourceRules, nonResourceRules, incomplete: false };
}
