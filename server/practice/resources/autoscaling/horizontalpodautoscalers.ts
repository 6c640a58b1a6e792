// HorizontalPodAutoscalers: stored as v2, also served as v1.

import {
  type FieldError,
  invalidAll,
  invalidValue,
  type KubeObject,
  notSupported,
  pathSegmentErrors,
  required,
} from '../../../kube/index.ts';
import { AGE, age, integer, joinSome, NAME, text } from '../format.ts';
import { statusOf } from '../parts.ts';
import type { Cell, ResourceDefinition } from '../types.ts';
import { positive } from '../validation/common.ts';

const METRIC_TYPES = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];
const MAX_PERIOD = 1800;

function reference(ref: any = {}, field: string): FieldError[] {
  const findings: FieldError[] = [];
  if (!ref.kind) findings.push(required(`${field}.kind`));
  else findings.push(...invalidAll(`${field}.kind`, ref.kind, pathSegmentErrors(ref.kind)));
  if (!ref.name) findings.push(required(`${field}.name`));
  else findings.push(...invalidAll(`${field}.name`, ref.name, pathSegmentErrors(ref.name)));
  return findings;
}

function metric(value: any, field: string): FieldError[] {
  if (!value.type) return [required(`${field}.type`, 'must specify a metric source type')];
  if (!METRIC_TYPES.includes(value.type)) return [notSupported(`${field}.type`, value.type, METRIC_TYPES)];
  const name = value.type.charAt(0).toLowerCase() + value.type.slice(1);
  const source = value[name];
  if (!source) return [required(`${field}.${name}`, 'must populate information for the given metric source')];
  const target = source.target ?? {};
  const at = `${field}.${name}.target`;
  const findings: FieldError[] = [];
  if (!target.type) findings.push(required(`${at}.type`, 'must specify a metric target type'));
  else if (!['Utilization', 'Value', 'AverageValue'].includes(target.type))
    findings.push(
      invalidValue(`${at}.type`, target.type, 'must be either Utilization, Value, or AverageValue'),
    );
  if (target.averageUtilization !== undefined && target.averageUtilization < 1)
    findings.push(
      invalidValue(`${at}.averageUtilization`, target.averageUtilization, 'must be greater than 0'),
    );
  if ((name === 'resource' || name === 'containerResource') && !source.name)
    findings.push(required(`${field}.${name}.name`, 'must specify a resource name'));
  if (name === 'resource' && target.averageUtilization === undefined && target.averageValue === undefined)
    findings.push(
      required(`${at}.averageUtilization`, 'must set either a target raw value or a target utilization'),
    );
  return findings;
}

function rules(value: any, field: string): FieldError[] {
  if (!value) return [];
  const findings: FieldError[] = [];
  const window = value.stabilizationWindowSeconds;
  if (window !== undefined && (window < 0 || window > 3600))
    findings.push(
      invalidValue(
        `${field}.stabilizationWindowSeconds`,
        window,
        window < 0 ? 'must be greater than or equal to zero' : 'must be less than or equal to 3600',
      ),
    );
  if (value.selectPolicy !== undefined && !['Max', 'Min', 'Disabled'].includes(value.selectPolicy))
    findings.push(notSupported(`${field}.selectPolicy`, value.selectPolicy, ['Disabled', 'Max', 'Min']));
  for (const [i, policy] of (value.policies ?? []).entries()) {
    const at = `${field}.policies[${i}]`;
    if (!['Pods', 'Percent'].includes(policy.type))
      findings.push(notSupported(`${at}.type`, policy.type, ['Percent', 'Pods']));
    findings.push(...positive(policy.value ?? 0, `${at}.value`));
    findings.push(...positive(policy.periodSeconds ?? 0, `${at}.periodSeconds`));
    if (policy.periodSeconds > MAX_PERIOD)
      findings.push(
        invalidValue(
          `${at}.periodSeconds`,
          policy.periodSeconds,
          `must be less than or equal to ${MAX_PERIOD}`,
        ),
      );
  }
  return findings;
}

function validate(autoscaler: KubeObject): FieldError[] {
  const spec = autoscaler.spec ?? {};
  const findings: FieldError[] = [];
  if (spec.minReplicas !== undefined && spec.minReplicas < 1)
    findings.push(invalidValue('spec.minReplicas', spec.minReplicas, 'must be greater than or equal to 1'));
  const max = spec.maxReplicas ?? 0;
  if (max < 1) findings.push(required('spec.maxReplicas', 'must be set and greater than 0'));
  if (spec.minReplicas !== undefined && max < spec.minReplicas)
    findings.push(invalidValue('spec.maxReplicas', max, 'must be greater than or equal to `minReplicas`'));
  findings.push(...reference(spec.scaleTargetRef, 'spec.scaleTargetRef'));
  const target = spec.scaleTargetRef ?? {};
  if (target.kind !== 'ReplicationController' && !String(target.apiVersion ?? '').includes('/'))
    findings.push(
      invalidValue(
        'spec.scaleTargetRef.apiVersion',
        target.apiVersion ?? '',
        'apiVersion must specify API group',
      ),
    );
  for (const [i, value] of (spec.metrics ?? []).entries())
    findings.push(...metric(value, `spec.metrics[${i}]`));
  findings.push(
    ...rules(spec.behavior?.scaleUp, 'spec.behavior.scaleUp'),
    ...rules(spec.behavior?.scaleDown, 'spec.behavior.scaleDown'),
  );
  return findings;
}

/** `cpu: 10%/80%` of one metric. */
function target(spec: any, current: any): string {
  const name = spec.type ? spec.type.charAt(0).toLowerCase() + spec.type.slice(1) : '';
  const wanted = spec[name]?.target ?? {};
  const now = current?.[name]?.current ?? {};
  const label = name === 'resource' || name === 'containerResource' ? `${spec[name]?.name}: ` : '';
  if (wanted.averageUtilization !== undefined)
    return `${label}${now.averageUtilization === undefined ? '<unknown>' : `${now.averageUtilization}%`}/${wanted.averageUtilization}%`;
  if (wanted.averageValue !== undefined) {
    const shown = `${label}${now.averageValue ?? '<unknown>'}/${wanted.averageValue}`;
    return name === 'external' || name === 'object' ? `${shown} (avg)` : shown;
  }
  return `${label}${now.value ?? '<unknown>'}/${wanted.value ?? '<auto>'}`;
}

const MAX_TARGETS = 2;

function targets(autoscaler: KubeObject): string {
  const specs: any[] = autoscaler.spec?.metrics ?? [];
  if (specs.length === 0) return '<none>';
  const current: any[] = autoscaler.status?.currentMetrics ?? [];
  return joinSome(
    specs.map((spec, i) => target(spec, current[i])),
    MAX_TARGETS,
    ', ',
  );
}

const columns: ResourceDefinition['columns'] = [
  NAME,
  text('Reference', 'scaleTargetRef points to the target resource to scale.'),
  text('Targets'),
  text(
    'MinPods',
    'minReplicas is the lower limit for the number of replicas to which the autoscaler can scale down.',
  ),
  text(
    'MaxPods',
    'maxReplicas is the upper limit for the number of replicas to which the autoscaler can scale up.',
  ),
  integer('Replicas', 'currentReplicas is current number of replicas of pods managed by this autoscaler.'),
  AGE,
];

const row: ResourceDefinition['row'] = (autoscaler, context): Cell[] => {
  const ref = autoscaler.spec?.scaleTargetRef ?? {};
  return [
    autoscaler.metadata.name,
    `${ref.kind ?? ''}/${ref.name ?? ''}`,
    targets(autoscaler),
    autoscaler.spec?.minReplicas === undefined ? '<unset>' : String(autoscaler.spec.minReplicas),
    autoscaler.spec?.maxReplicas ?? 0,
    autoscaler.status?.currentReplicas ?? 0,
    age(autoscaler, context),
  ];
};

const ANNOTATIONS = {
  metrics: 'autoscaling.alpha.kubernetes.io/metrics',
  behavior: 'autoscaling.alpha.kubernetes.io/behavior',
  conditions: 'autoscaling.alpha.kubernetes.io/conditions',
  current: 'autoscaling.alpha.kubernetes.io/current-metrics',
} as const;

const isCpuUtilization = (m: any) =>
  m?.type === 'Resource' && m.resource?.name === 'cpu' && m.resource.target?.averageUtilization !== undefined;

/** v1 knows CPU utilisation only; the rest travels in annotations. */
function toV1(autoscaler: KubeObject): KubeObject {
  const { metrics = [], behavior, ...spec } = autoscaler.spec ?? {};
  const { currentMetrics = [], conditions, ...status } = autoscaler.status ?? {};
  const cpu = metrics.find(isCpuUtilization);
  const others = metrics.filter((m: any) => m !== cpu);
  const annotations: Record<string, string> = { ...autoscaler.metadata.annotations };
  if (others.length > 0) annotations[ANNOTATIONS.metrics] = JSON.stringify(others);
  if (behavior) annotations[ANNOTATIONS.behavior] = JSON.stringify(behavior);
  if (conditions?.length) annotations[ANNOTATIONS.conditions] = JSON.stringify(conditions);
  const currentCpu = currentMetrics.find((m: any) => m.type === 'Resource' && m.resource?.name === 'cpu')
    ?.resource?.current;
  if (currentMetrics.length > 0) annotations[ANNOTATIONS.current] = JSON.stringify(currentMetrics);
  return {
    ...autoscaler,
    metadata: { ...autoscaler.metadata, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
    spec: {
      ...spec,
      ...(cpu ? { targetCPUUtilizationPercentage: cpu.resource.target.averageUtilization } : {}),
    },
    status: {
      ...status,
      ...(currentCpu?.averageUtilization !== undefined
        ? { currentCPUUtilizationPercentage: currentCpu.averageUtilization }
        : {}),
    },
  };
}

function parsed(value: string | undefined): any {
  try {
    return value ? JSON.parse(value) : undefined;
  } catch {
    return undefined;
  }
}

function fromV1(autoscaler: KubeObject): KubeObject {
  const { targetCPUUtilizationPercentage, ...spec } = autoscaler.spec ?? {};
  const { currentCPUUtilizationPercentage: _, ...status } = autoscaler.status ?? {};
  const annotations = { ...autoscaler.metadata.annotations };
  const metrics = parsed(annotations[ANNOTATIONS.metrics]) ?? [];
  const behavior = parsed(annotations[ANNOTATIONS.behavior]);
  const conditions = parsed(annotations[ANNOTATIONS.conditions]);
  const current = parsed(annotations[ANNOTATIONS.current]);
  for (const key of Object.values(ANNOTATIONS)) delete annotations[key];
  if (targetCPUUtilizationPercentage !== undefined)
    metrics.push({
      type: 'Resource',
      resource: {
        name: 'cpu',
        target: { type: 'Utilization', averageUtilization: targetCPUUtilizationPercentage },
      },
    });
  const { annotations: __, ...metadata } = autoscaler.metadata;
  return {
    ...autoscaler,
    metadata: { ...metadata, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
    spec: { ...spec, ...(metrics.length > 0 ? { metrics } : {}), ...(behavior ? { behavior } : {}) },
    status: {
      ...status,
      ...(conditions ? { conditions } : {}),
      ...(current ? { currentMetrics: current } : {}),
    },
  };
}

export const horizontalpodautoscalers: ResourceDefinition = {
  group: 'autoscaling',
  versions: ['v2', 'v1'],
  storageVersion: 'v2',
  kind: 'HorizontalPodAutoscaler',
  resource: 'horizontalpodautoscalers',
  singular: 'horizontalpodautoscaler',
  shortNames: ['hpa'],
  categories: ['all'],
  namespaced: true,
  subresources: [statusOf('autoscaling', 'v2', 'HorizontalPodAutoscaler')],
  prepareForCreate(autoscaler) {
    autoscaler.status = { currentReplicas: 0, desiredReplicas: 0 };
  },
  validate,
  fromStored: (autoscaler, version) => (version === 'v1' ? toV1(autoscaler) : autoscaler),
  toStored: (autoscaler, version) => (version === 'v1' ? fromV1(autoscaler) : autoscaler),
  columns,
  row,
};
