// Wrong rights: nothing is allowed, everything is allowed, and what is asked in one namespace is allowed in all. Answers for the
// cluster's authorizer; reads no roles.

import type { Check, KindSpec } from '#common/lab/index.ts';
import type { CheckContext, KubeApi } from '../../check/index.ts';
import type { Mutant } from './types.ts';

const REVIEWS = /\/(self)?subjectaccessreviews$/;

interface Question {
  user?: string;
  verb?: string;
  group?: string;
  resource?: string;
  namespace?: string;
}

export function accessMutants(check: Check): Mutant[] {
  const { as, verb, resource, namespace, allowed } = (check as Check<'access'>).spec as KindSpec<'access'>;
  const anybody = (decide: (question: Question) => boolean | undefined) => async (context: CheckContext) => ({
    ...context,
    kube: { ...context.kube, api: deciding(context.kube.api, decide) },
  });
  const ours = ({ user }: Question) => user === as;
  if (!allowed)
    return [
      { what: `with everything allowed to ${as}`, see: anybody(question => ours(question) || undefined) },
    ];
  const [named = '', ...group] = resource.split('.');
  const mutants: Mutant[] = [
    {
      what: `with nothing allowed to ${as}`,
      see: anybody(question => (ours(question) ? false : undefined)),
    },
    { what: `with everything allowed to ${as}`, see: anybody(question => ours(question) || undefined) },
  ];
  if (namespace !== undefined)
    mutants.push({
      what: `with ${verb} ${resource} allowed to ${as} in every namespace`,
      see: anybody(
        question =>
          (ours(question) &&
            question.verb === verb &&
            question.resource === named.split('/')[0] &&
            (question.group ?? '') === group.join('.')) ||
          undefined,
      ),
    });
  return mutants;
}

/** The API with an authorizer that decides so; where it has nothing to say the cluster decides. */
function deciding(api: KubeApi, decide: (question: Question) => boolean | undefined): KubeApi {
  return {
    async request(method, path, body, contentType) {
      const { spec } = (body ?? {}) as { spec?: { user?: string; resourceAttributes?: Question } };
      const verdict =
        method === 'POST' && REVIEWS.test(path)
          ? decide({ user: spec?.user, ...spec?.resourceAttributes })
          : undefined;
      if (verdict === undefined) return api.request(method, path, body, contentType);
      return { status: 201, body: { ...(body as object), status: { allowed: verdict } } } as Awaited<
        ReturnType<KubeApi['request']>
      >;
    },
    watch: (path, query, handlers) => api.watch(path, query, handlers),
    portForward: (namespace, pod, port) => api.portForward(namespace, pod, port),
    close: () => {},
  };
}
