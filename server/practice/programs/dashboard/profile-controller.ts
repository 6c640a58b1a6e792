// Kubeflow's profile controller: turns a Profile into a namespace with its accounts, bindings, policy and quota. Decides by what the
// API tells its own account; plugins (cloud identities) are left alone.

import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../../kube/index.ts';
import { flagOf } from '../flags.ts';
import {
  type Controller,
  controllerRuntime,
  createIfAbsent,
  type Operator,
  runOperator,
  unlessMissing,
  watched,
  type ZapLog,
  zapConsole,
} from '../operator/index.ts';
import type { Container, Program } from '../types.ts';
import {
  accessOf,
  authorizationPolicyOf,
  namespaceLabels,
  namespaceOf,
  quotaOf,
} from './profile-children.ts';

const PROFILE = watched('kubeflow.org/v1', 'Profile');
const NAMESPACE = watched('v1', 'Namespace');
const ACCOUNT = watched('v1', 'ServiceAccount');
const BINDING = watched('rbac.authorization.k8s.io/v1', 'RoleBinding');
const POLICY = watched('security.istio.io/v1beta1', 'AuthorizationPolicy', 'authorizationpolicies');
const QUOTA = watched('v1', 'ResourceQuota');
const FINALIZER = 'profile-finalizer';
const LABELS = '/etc/profile-controller/namespace-labels.yaml';
const LOGGER = 'controllers.Profile';
const START_MS = 300;

function profiles(container: Container, log: ZapLog): Controller {
  const header = flagOf(container, 'userid-header') ?? 'x-goog-authenticated-user-email';
  const prefix = flagOf(container, 'userid-prefix') ?? '';
  const file = flagOf(container, 'namespace-labels-path') ?? LABELS;
  return {
    name: 'profile',
    for: PROFILE,
    owns: [NAMESPACE, POLICY, ACCOUNT, BINDING],

    async reconcile({ name }, operator) {
      const about = { profile: { name } };
      log.info(LOGGER, 'Start to Reconcile.', { ...about, namespace: '', name });
      // Children lie in the namespace, the Profile in none.
      const profile = operator.get(PROFILE, { name });
      if (!profile) return undefined;
      if (profile.metadata.deletionTimestamp) return release(operator, profile);
      const labels = labelsOf(container.files.readText(file) ?? '');
      log.info(LOGGER, 'List of labels to be added to namespace', { ...about, labels });
      if (!(await ownNamespace(operator, profile, labels, log))) return undefined;
      await createIfAbsent(operator, POLICY, authorizationPolicyOf(profile, header, prefix));
      const { accounts, bindings } = accessOf(profile);
      for (const account of accounts) await createIfAbsent(operator, ACCOUNT, account);
      for (const binding of bindings) await keepBinding(operator, binding);
      await keepQuota(operator, profile);
      const finalizers = profile.metadata.finalizers ?? [];
      if (!finalizers.includes(FINALIZER))
        await operator.api.update(PROFILE, {
          ...profile,
          metadata: { ...profile.metadata, finalizers: [...finalizers, FINALIZER] },
        });
      return undefined;
    },
  };
}

/** The namespace of the Profile's name, as it is wanted; false when it is somebody else's. */
async function ownNamespace(
  operator: Operator,
  profile: KubeObject,
  labels: Record<string, string>,
  log: ZapLog,
): Promise<boolean> {
  const { name } = profile.metadata;
  const owner = profile['spec'].owner.name;
  const about = { profile: { name } };
  const there = operator.get(NAMESPACE, { name });
  if (!there) {
    log.info(LOGGER, `Creating Namespace: ${name}`, about);
    await createIfAbsent(operator, NAMESPACE, namespaceOf(profile, labels));
    log.info(LOGGER, `Created Namespace: ${name}`, { ...about, status: 'Active' });
    return true;
  }
  if (there.metadata.annotations?.['owner'] !== owner) {
    const message = `namespace already exist, but not owned by profile creator ${owner}`;
    log.info(LOGGER, message, about);
    const conditions = profile['status']?.conditions ?? [];
    if (conditions.at(-1)?.message !== message)
      await operator.api.update(
        PROFILE,
        { ...profile, status: { conditions: [...conditions, { type: 'Failed', message }] } },
        'status',
      );
    return false;
  }
  const next = namespaceLabels(there.metadata.labels ?? {}, labels);
  if (!isDeepStrictEqual(next, there.metadata.labels))
    await operator.api.update(NAMESPACE, { ...there, metadata: { ...there.metadata, labels: next } });
  return true;
}

async function keepBinding(operator: Operator, wanted: KubeObject): Promise<void> {
  const { object, created } = await createIfAbsent(operator, BINDING, wanted);
  if (created || isDeepStrictEqual(object['subjects'], wanted['subjects'])) return;
  await operator.api.update(BINDING, { ...object, subjects: wanted['subjects'] });
}

async function keepQuota(operator: Operator, profile: KubeObject): Promise<void> {
  const wanted = quotaOf(profile);
  const key = wanted.metadata;
  if (Object.keys(wanted['spec']?.hard ?? {}).length === 0) {
    await operator.api.delete(QUOTA, key).catch(unlessMissing);
    return;
  }
  const there = await operator.api.get(QUOTA, key).catch(unlessMissing);
  if (!there) await operator.api.create(QUOTA, wanted);
  else if (!isDeepStrictEqual(there['spec'], wanted['spec']))
    await operator.api.update(QUOTA, { ...there, spec: wanted['spec'] });
}

async function release(operator: Operator, profile: KubeObject): Promise<undefined> {
  const finalizers = (profile.metadata.finalizers ?? []).filter(one => one !== FINALIZER);
  if (finalizers.length !== (profile.metadata.finalizers ?? []).length)
    await operator.api.update(PROFILE, { ...profile, metadata: { ...profile.metadata, finalizers } });
  return undefined;
}

/** `key: "value"`, a line each. */
function labelsOf(text: string): Record<string, string> {
  const lines = [...text.matchAll(/^([\w./-]+):[ \t]*"?([^"\n]*?)"?[ \t]*$/gm)];
  return Object.fromEntries(lines.map(([, key = '', value = '']) => [key, value]));
}

export const profileController: Program = {
  image: 'ghcr.io/kubeflow/dashboard/profile-controller',
  config: { entrypoint: ['/manager'] },
  async run(container) {
    container.use({ cpuMillis: 2, memoryBytes: 26 * 1024 * 1024 });
    await container.clock.sleep(START_MS, container.signal);
    const log = zapConsole(container);
    log.info('setup', 'starting manager');
    return runOperator(container, {
      component: 'profile-controller',
      habits: controllerRuntime(container, log),
      controllers: [profiles(container, log)],
    });
  },
};
