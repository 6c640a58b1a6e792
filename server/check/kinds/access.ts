// access: whether the cluster would let a user do something. Asks the cluster's own authorizer; reads no roles itself.

import type { KindSpec } from '#common/lab/index.ts';
import { CouldNotLook } from '../could-not-look.ts';
import type { CheckKind, Verdict } from '../types.ts';
import { say } from '../words.ts';

const REVIEWS = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
/** What decides: the answer may change when one of these does. */
const DECIDES = ['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'];

export const access: CheckKind<KindSpec<'access'>> = {
  name: 'access',
  latches: false,

  async run(spec, { kube }): Promise<Verdict> {
    const [named = '', ...group] = spec.resource.split('.');
    const [resource, subresource] = named.split('/');
    const reply = await kube.api.request('POST', REVIEWS, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: spec.as,
        groups: spec.groups ?? groupsOf(spec.as),
        resourceAttributes: {
          verb: spec.verb,
          group: group.join('.'),
          resource,
          subresource,
          name: spec.name,
          namespace: spec.namespace,
        },
      },
    });
    if (reply.status >= 300) {
      const why = reply.body?.message ?? `HTTP ${reply.status}`;
      throw new CouldNotLook(
        say(`叢集不肯回答權限問題：${why}`, `The cluster does not answer the question about access: ${why}`),
      );
    }
    const allowed = reply.body.status?.allowed === true;
    const where = spec.namespace
      ? say(`命名空間 ${spec.namespace}`, `namespace ${spec.namespace}`)
      : say('整個叢集', 'the whole cluster');
    const said = say(
      `${spec.as} 在${where['zh-TW']}${allowed ? '可以' : '不可以'} ${spec.verb} ${spec.resource}`,
      `${spec.as} ${allowed ? 'can' : 'cannot'} ${spec.verb} ${spec.resource} in ${where.en}`,
    );
    if (allowed === spec.allowed) return { state: 'holds', said: say(`${said['zh-TW']}。`, `${said.en}.`) };
    return {
      state: 'wrong',
      said: say(
        `${said['zh-TW']}，應該${spec.allowed ? '可以' : '不可以'}。`,
        `${said.en}, and ${spec.allowed ? 'should' : 'should not'}.`,
      ),
      findings: [
        { path: `${spec.verb} ${spec.resource}`, expected: yesNo(spec.allowed), actual: yesNo(allowed) },
      ],
    };
  },

  watch(_spec, { kube }, changed) {
    const stops = DECIDES.map(kind =>
      kube.watch({ kind, apiVersion: 'rbac.authorization.k8s.io/v1' }, changed),
    );
    return () => {
      for (const stop of stops) stop();
    };
  },
};

/** The words `kubectl auth can-i` prints. */
const yesNo = (allowed: boolean) => (allowed ? 'yes' : 'no');

/** The groups a service account is always in. */
function groupsOf(user: string): string[] {
  const account = /^system:serviceaccount:([^:]+):/.exec(user);
  return account
    ? ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`, 'system:authenticated']
    : ['system:authenticated'];
}
