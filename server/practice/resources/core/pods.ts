// Pods.

import {
  type FieldError,
  forbiddenField,
  invalidValue,
  type KubeObject,
  timestamp,
} from '../../../kube/index.ts';
import { AGE, age, NAME, orNone, text, wide } from '../format.ts';
import { partOf, statusOf } from '../parts.ts';
import type { ResourceDefinition } from '../types.ts';
import { same } from '../validation/common.ts';
import { goDiff } from '../validation/go-diff.ts';
import { podSpec } from '../validation/pod-spec.ts';
import { podQuality } from './pod-quality.ts';
import { summarisePod } from './pod-status.ts';

const POD = { group: '', version: 'v1', kind: 'Pod' };
const options = (kind: string) => ({ group: '', version: 'v1', kind });

const UPDATABLE =
  '`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

type Container = { name: string; image?: string; resources?: any; ports?: any[]; resizePolicy?: unknown };

/** Requests follow limits where they are absent (upstream SetDefaults_Pod). */
function defaultRequests(container: Container): void {
  const { limits, requests } = container.resources ?? {};
  if (!limits) return;
  container.resources.requests = { ...limits, ...requests };
}

/** On the node's network a container's port is the node's port. */
function usesHostPorts(container: Container): void {
  for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
}

/** The new spec with what may change put back as it was: what still differs may not change. */
function withoutAllowedChanges(next: any, old: any): any {
  const images = (now: Container[] = [], before: Container[] = []) =>
    now.map((container, i) => ({ ...container, image: before[i]?.image ?? container.image }));
  const munged = { ...next, containers: images(next.containers, old.containers) };
  if (next.initContainers) munged.initContainers = images(next.initContainers, old.initContainers);
  for (const field of ['activeDeadlineSeconds', 'tolerations', 'schedulingGates']) munged[field] = old[field];
  // A pod that still waits behind a gate may be told where to go.
  if (old.schedulingGates?.length)
    for (const field of ['nodeSelector', 'affinity']) munged[field] = old[field];
  if (old.terminationGracePeriodSeconds < 0 && next.terminationGracePeriodSeconds === 1)
    munged.terminationGracePeriodSeconds = old.terminationGracePeriodSeconds;
  for (const field of Object.keys(munged)) if (munged[field] === undefined) delete munged[field];
  return munged;
}

function updateFindings(pod: KubeObject, old: KubeObject): FieldError[] {
  const findings: FieldError[] = [];
  const next = pod.spec ?? {};
  const before = old.spec ?? {};
  if ((next.containers?.length ?? 0) !== (before.containers?.length ?? 0))
    return [forbiddenField('spec.containers', 'pod updates may not add or remove containers')];
  if ((next.initContainers?.length ?? 0) !== (before.initContainers?.length ?? 0))
    return [forbiddenField('spec.initContainers', 'pod updates may not add or remove containers')];
  if (before.activeDeadlineSeconds !== undefined) {
    if (next.activeDeadlineSeconds === undefined)
      findings.push(
        invalidValue(
          'spec.activeDeadlineSeconds',
          null,
          'must not update from a positive integer to nil value',
        ),
      );
    else if (next.activeDeadlineSeconds > before.activeDeadlineSeconds)
      findings.push(
        invalidValue(
          'spec.activeDeadlineSeconds',
          next.activeDeadlineSeconds,
          'must be less than or equal to previous value',
        ),
      );
  }
  for (const [i, toleration] of (before.tolerations ?? []).entries()) {
    const kept = (next.tolerations ?? []).some((other: any) =>
      same({ ...other, tolerationSeconds: 0 }, { ...toleration, tolerationSeconds: 0 }),
    );
    if (!kept) {
      findings.push(
        forbiddenField(
          `spec.tolerations[${i}]`,
          'existing toleration can not be modified except its tolerationSeconds',
        ),
      );
    }
  }
  for (const gate of next.schedulingGates ?? [])
    if (!(before.schedulingGates ?? []).some((other: any) => other.name === gate.name))
      findings.push(
        forbiddenField(
          'spec.schedulingGates',
          `only deletion is allowed, but found new scheduling gate '${gate.name}'`,
        ),
      );
  const munged = withoutAllowedChanges(next, before);
  if (!same(munged, before)) {
    const diff = goDiff(before, munged, 'PodSpec');
    findings.push(
      forbiddenField(
        'spec',
        `pod updates may not change fields other than ${UPDATABLE}
${diff}`,
      ),
    );
  }
  return findings;
}

/** Debugging containers come and stay as they came. */
export function ephemeralFindings(pod: KubeObject, old: KubeObject): FieldError[] {
  const field = 'spec.ephemeralContainers';
  const now: Container[] = pod.spec?.ephemeralContainers ?? [];
  return ((old.spec?.ephemeralContainers ?? []) as Container[]).flatMap(before => {
    const after = now.find(({ name }) => name === before.name);
    if (!after)
      return [forbiddenField(field, `existing ephemeral containers "${before.name}" may not be removed\n`)];
    if (same(after, before)) return [];
    const diff = goDiff(before, after, 'Container');
    return [
      forbiddenField(field, `existing ephemeral containers "${before.name}" may not be changed\n${diff}`),
    ];
  });
}

/** What a resize may not do: take a resource away, or change the quality of service. */
export function resizeFindings(pod: KubeObject, old: KubeObject): FieldError[] {
  const findings: FieldError[] = [];
  const quality = podQuality(old.spec);
  if (podQuality(pod.spec) !== quality)
    findings.push(invalidValue('spec', quality, 'Pod QOS Class may not change as a result of resizing'));
  for (const list of ['containers', 'initContainers'])
    for (const [i, container] of ((pod.spec?.[list] ?? []) as Container[]).entries()) {
      const before = ((old.spec?.[list] ?? []) as Container[])[i]?.resources ?? {};
      for (const kind of ['requests', 'limits']) {
        const now = container.resources?.[kind] ?? {};
        if (Object.keys(before[kind] ?? {}).some(name => now[name] === undefined))
          findings.push(
            forbiddenField(`spec.${list}[${i}].resources.${kind}`, `resource ${kind} cannot be removed`),
          );
      }
    }
  return findings;
}

export const pods: ResourceDefinition = {
  group: '',
  versions: ['v1'],
  kind: 'Pod',
  resource: 'pods',
  singular: 'pod',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  subresources: [
    { name: 'attach', kind: options('PodAttachOptions'), verbs: ['create', 'get'] },
    { name: 'binding', kind: options('Binding'), verbs: ['create'] },
    partOf('ephemeralcontainers', POD),
    { name: 'eviction', kind: { group: 'policy', version: 'v1', kind: 'Eviction' }, verbs: ['create'] },
    { name: 'exec', kind: options('PodExecOptions'), verbs: ['create', 'get'] },
    { name: 'log', kind: POD, verbs: ['get'] },
    { name: 'portforward', kind: options('PodPortForwardOptions'), verbs: ['create', 'get'] },
    {
      name: 'proxy',
      kind: options('PodProxyOptions'),
      verbs: ['create', 'delete', 'get', 'patch', 'update'],
    },
    partOf('resize', POD),
    statusOf('', 'v1', 'Pod'),
  ],
  hasGeneration: true,
  graceful: true,
  returnsDeleted: true,
  selectableFields: {
    'spec.nodeName': pod => pod.spec?.nodeName ?? '',
    'spec.restartPolicy': pod => pod.spec?.restartPolicy ?? '',
    'spec.schedulerName': pod => pod.spec?.schedulerName ?? '',
    'spec.serviceAccountName': pod => pod.spec?.serviceAccountName ?? '',
    'spec.hostNetwork': pod => String(pod.spec?.hostNetwork ?? false),
    'status.phase': pod => pod.status?.phase ?? '',
    'status.podIP': pod => pod.status?.podIP ?? '',
    'status.nominatedNodeName': pod => pod.status?.nominatedNodeName ?? '',
  },
  defaults(pod) {
    const spec = pod.spec ?? {};
    spec.enableServiceLinks ??= true;
    for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
      defaultRequests(container);
      if (spec.hostNetwork) usesHostPorts(container);
    }
  },
  prepareForCreate(pod, { now }) {
    pod.status = { phase: 'Pending', qosClass: podQuality(pod.spec) };
    if (pod.spec?.schedulingGates?.length) {
      pod.status.conditions = [
        {
          type: 'PodScheduled',
          status: 'False',
          lastProbeTime: null,
          lastTransitionTime: timestamp(now),
          reason: 'SchedulingGated',
          message: 'Scheduling is blocked due to non-empty scheduling gates',
        },
      ];
    }
  },
  prepareForUpdate(pod, old) {
    pod.status = old.status;
  },
  validate: pod => podSpec(pod.spec, 'spec'),
  validateUpdate: updateFindings,
  columns: [
    NAME,
    text('Ready', 'The aggregate readiness state of this pod for accepting traffic.'),
    text('Status', 'The aggregate status of the containers in this pod.'),
    text(
      'Restarts',
      'The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.',
    ),
    AGE,
    wide('IP'),
    wide('Node'),
    wide('Nominated Node'),
    wide('Readiness Gates'),
  ],
  row: (pod, context) => {
    const { status, ready, total, restarts } = summarisePod(pod, context.now);
    const gates: { conditionType: string }[] = pod.spec?.readinessGates ?? [];
    const open = gates.filter(gate =>
      (pod.status?.conditions ?? []).some((c: any) => c.type === gate.conditionType && c.status === 'True'),
    );
    return [
      pod.metadata.name,
      `${ready}/${total}`,
      status,
      restarts,
      age(pod, context),
      orNone(pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP),
      orNone(pod.spec?.nodeName),
      orNone(pod.status?.nominatedNodeName),
      gates.length > 0 ? `${open.length}/${gates.length}` : '<none>',
    ];
  },
  rowConditions(pod) {
    const phase = pod.status?.phase;
    if (phase !== 'Succeeded' && phase !== 'Failed') return [];
    const message = phase === 'Succeeded' ? 'The pod has completed successfully.' : 'The pod failed.';
    return [{ type: 'Completed', status: 'True', reason: phase, message }];
  },
};
