// Pod Security: a namespace's labels say which level its pods must keep, and which they are warned about.

import type { KubeObject } from '../../../kube/index.ts';
import { concerns, PODS, refuse } from '../requests.ts';
import type { AdmissionContext, AdmissionPlugin, AdmissionRequest } from '../types.ts';
import { type Level, type Violation, violations } from './checks.ts';

const LABEL = 'pod-security.kubernetes.io/';
const NAMESPACES = { group: '', resource: 'namespaces' };
const LEVELS: readonly string[] = ['privileged', 'baseline', 'restricted'];

/** Where each kind that makes pods keeps its template. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  '/podtemplates': ['template'],
  '/replicationcontrollers': ['spec', 'template'],
  'apps/daemonsets': ['spec', 'template'],
  'apps/deployments': ['spec', 'template'],
  'apps/replicasets': ['spec', 'template'],
  'apps/statefulsets': ['spec', 'template'],
  'batch/cronjobs': ['spec', 'jobTemplate', 'spec', 'template'],
  'batch/jobs': ['spec', 'template'],
};

interface Policy {
  level: Level;
  version: string;
}

function policyOf(labels: Record<string, string> | undefined, mode: 'enforce' | 'warn'): Policy {
  const level = labels?.[`${LABEL}${mode}`];
  return {
    level: level !== undefined && LEVELS.includes(level) ? (level as Level) : 'privileged',
    version: labels?.[`${LABEL}${mode}-version`] ?? 'latest',
  };
}

const full = (found: Violation[]) => found.map(({ reason, detail }) => `${reason} (${detail})`).join(', ');
const policyText = ({ level, version }: Policy) => `"${level}:${version}"`;

function podPart(request: AdmissionRequest): { spec: KubeObject['spec']; metadata: object } | undefined {
  const { object, definition } = request;
  if (!object) return undefined;
  if (definition.group === '' && definition.resource === 'pods')
    return { spec: object.spec, metadata: object.metadata };
  const path = TEMPLATES[`${definition.group}/${definition.resource}`];
  const template = path?.reduce<any>((value, key) => value?.[key], object);
  return template?.spec ? { spec: template.spec, metadata: template.metadata ?? {} } : undefined;
}

function checkPods(request: AdmissionRequest, context: AdmissionContext): void {
  const { namespace, subresource, old, object } = request;
  if (subresource !== undefined && subresource !== 'ephemeralcontainers') return;
  const part = podPart(request);
  if (!part || !namespace) return;
  const labels = context.read(NAMESPACES, undefined, namespace)?.metadata.labels;
  const isPod = request.definition.resource === 'pods';
  if (isPod && old && object && JSON.stringify(old.spec) === JSON.stringify(object.spec)) return;
  const enforce = policyOf(labels, 'enforce');
  if (isPod) {
    const found = violations(enforce.level, part.spec, part.metadata);
    if (found.length > 0)
      throw refuse(request, `violates PodSecurity ${policyText(enforce)}: ${full(found)}`);
  }
  const warn = policyOf(labels, 'warn');
  if (isPod && warn.level === enforce.level && warn.version === enforce.version) return;
  const found = violations(warn.level, part.spec, part.metadata);
  if (found.length > 0) context.warn(`would violate PodSecurity ${policyText(warn)}: ${full(found)}`);
}

/** A stricter level says who breaks it already, grouped by what is broken. */
function checkNamespace(request: AdmissionRequest, context: AdmissionContext): void {
  const { object, old } = request;
  if (!object) return;
  for (const mode of ['enforce', 'audit', 'warn']) {
    const level = object.metadata.labels?.[`${LABEL}${mode}`];
    if (level === undefined || LEVELS.includes(level)) continue;
    throw refuse(
      request,
      `metadata.labels[${LABEL}${mode}]: Invalid value: "${level}": must be one of ${LEVELS.join(', ')}`,
    );
  }
  const before = policyOf(old?.metadata.labels, 'enforce');
  const after = policyOf(object.metadata.labels, 'enforce');
  const stricter = LEVELS.indexOf(after.level) > LEVELS.indexOf(before.level);
  if (!old || !stricter) return;
  const groups = new Map<string, string[]>();
  for (const pod of context.listAll(PODS, object.metadata.name)) {
    const found = violations(after.level, pod.spec, pod.metadata);
    if (found.length === 0) continue;
    const reasons = found.map(({ reason }) => reason).join(', ');
    groups.set(reasons, [...(groups.get(reasons) ?? []), pod.metadata.name]);
  }
  if (groups.size === 0) return;
  context.warn(
    `existing pods in namespace "${object.metadata.name}" violate the new PodSecurity enforce level ${policyText(after)}`,
  );
  const lines = [...groups].map(([reasons, names]) => {
    const [first = '', ...others] = names.sort();
    const more =
      others.length === 0
        ? ''
        : others.length === 1
          ? ' (and 1 other pod)'
          : ` (and ${others.length} other pods)`;
    return `${first}${more}: ${reasons}`;
  });
  for (const line of lines.sort()) context.warn(line);
}

export const podSecurity: AdmissionPlugin = {
  name: 'PodSecurity',
  validate(request, context) {
    if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return;
    if (concerns(request, NAMESPACES, 'CREATE', 'UPDATE')) checkNamespace(request, context);
    else checkPods(request, context);
  },
};
