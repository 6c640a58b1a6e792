// How Go names the type of a field in its JSON errors (`[]string`, `v1.RestartPolicy`). Knows only names, decodes nothing.

import type { Schema } from '../../kube/index.ts';

/** Where in the Go types a value is being decoded. */
export interface Place {
  /** JSON names from the top, without indexes and map keys. */
  path: string;
  /** The innermost struct's type name; '' at the top. */
  struct: string;
  /** Last JSON name. */
  field?: string;
  /** Inside that field's list or map. */
  element?: boolean;
}

/** Named string types of fields, as `Struct.field` or `*.field`; everything else that is text is a plain string. */
const NAMED: Record<string, string> = {
  '*.imagePullPolicy': 'v1.PullPolicy',
  'PodSpec.restartPolicy': 'v1.RestartPolicy',
  'Container.restartPolicy': 'v1.ContainerRestartPolicy',
  '*.dnsPolicy': 'v1.DNSPolicy',
  'PodSpec.preemptionPolicy': 'v1.PreemptionPolicy',
  '*.protocol': 'v1.Protocol',
  '*.terminationMessagePolicy': 'v1.TerminationMessagePolicy',
  'HTTPGetAction.scheme': 'v1.URIScheme',
  'ServiceSpec.type': 'v1.ServiceType',
  'ServiceSpec.sessionAffinity': 'v1.ServiceAffinity',
  'Secret.type': 'v1.SecretType',
  'Toleration.operator': 'v1.TolerationOperator',
  'Toleration.effect': 'v1.TaintEffect',
  'Taint.effect': 'v1.TaintEffect',
  'PersistentVolumeClaimSpec.accessModes': 'v1.PersistentVolumeAccessMode',
  'PersistentVolumeSpec.accessModes': 'v1.PersistentVolumeAccessMode',
  'DeploymentStrategy.type': 'v1.DeploymentStrategyType',
  'CronJobSpec.concurrencyPolicy': 'v1.ConcurrencyPolicy',
  'IngressBackend.pathType': 'v1.PathType',
};

const INTEGER: Record<string, string> = { int32: 'int32', int64: 'int64' };

function versionOf(name: string): string {
  const parts = name.split('.');
  return parts[parts.length - 2] ?? '';
}

/** The Go type a schema node stands for. */
export function goTypeName(schema: Schema, place: Place): string {
  if (schema.type === 'array') {
    const items = schema.items ?? {};
    return `[]${schema.items ? goTypeName(items, { ...place, element: true }) : 'interface {}'}`;
  }
  if (schema.additionalProperties)
    return `map[string]${goTypeName(schema.additionalProperties, { ...place, element: true })}`;
  switch (schema.format) {
    case 'quantity':
      return 'resource.Quantity';
    case 'int-or-string':
      return 'intstr.IntOrString';
    case 'byte':
      return '[]uint8';
    case 'date-time':
      return 'v1.Time';
    case 'micro-time':
      return 'v1.MicroTime';
  }
  switch (schema.type) {
    case 'integer':
      return INTEGER[schema.format ?? ''] ?? 'int';
    case 'number':
      return 'float64';
    case 'boolean':
      return 'bool';
    case 'string':
      return NAMED[`${place.struct}.${place.field}`] ?? NAMED[`*.${place.field}`] ?? 'string';
  }
  if (!schema.name) return 'map[string]interface {}';
  return `${versionOf(schema.name)}.${schema.name.slice(schema.name.lastIndexOf('.') + 1)}`;
}
