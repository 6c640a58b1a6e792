// The environment of a container: image, host name, services, envFrom, env with $(VAR) and the downward API.
// Knows how values are found, not where they are kept.

import type { KubeObject } from '../../kube/index.ts';
import { quantityNumber } from '../programs/index.ts';

/** A reason why a container cannot be configured yet; the message is shown as it is. */
export class ConfigError extends Error {}

/** The kubelet has no copy of what is asked for, and could not get one in time. Says nothing about what is in it. */
export class CacheNotSynced extends ConfigError {
  constructor(kind: 'configmap' | 'secret') {
    super(`failed to sync ${kind} cache: timed out waiting for the condition`);
  }
}

export interface EnvSources {
  configMap(name: string): Promise<KubeObject | undefined>;
  secret(name: string): Promise<KubeObject | undefined>;
  /** Services of the pod's namespace and, for the API server, default/kubernetes. */
  services(): KubeObject[];
  podIP: string;
  hostIP: string;
  allocatable: Record<string, string>;
}

interface ContainerSpec {
  name: string;
  env?: { name: string; value?: string; valueFrom?: any }[];
  envFrom?: { prefix?: string; configMapRef?: any; secretRef?: any }[];
  resources?: { limits?: Record<string, string>; requests?: Record<string, string> };
}

export async function environmentOf(
  pod: KubeObject,
  container: ContainerSpec,
  imageEnv: Record<string, string>,
  sources: EnvSources,
): Promise<Record<string, string>> {
  const spec = pod['spec'];
  const env: Record<string, string> = { ...imageEnv, HOSTNAME: spec.hostname ?? pod.metadata.name };
  Object.assign(
    env,
    serviceVariables(sources.services(), pod.metadata.namespace!, spec.enableServiceLinks !== false),
  );
  for (const from of container.envFrom ?? []) Object.assign(env, await bulk(from, sources));
  for (const item of container.env ?? []) {
    const value = item.valueFrom
      ? await valueFrom(item.valueFrom, pod, container, sources)
      : expand(item.value ?? '', env);
    if (value !== undefined) env[item.name] = value;
  }
  env['HOME'] ??= '/';
  return env;
}

/** `$(NAME)` becomes the value, `$$(NAME)` stays as `$(NAME)`, an unknown name stays as written. */
export function expand(text: string, env: Record<string, string>): string {
  return text.replace(/\$(\$|\([^)]*\))/g, (whole, what: string) => {
    if (what === '$') return '$';
    return env[what.slice(1, -1)] ?? whole;
  });
}

async function bulk(from: NonNullable<ContainerSpec['envFrom']>[number], sources: EnvSources) {
  const found: Record<string, string> = {};
  const prefix = from.prefix ?? '';
  if (from.configMapRef) {
    const map = await sources.configMap(from.configMapRef.name);
    if (!map && !from.configMapRef.optional)
      throw new ConfigError(`configmap "${from.configMapRef.name}" not found`);
    for (const [key, value] of Object.entries(map?.['data'] ?? {})) found[prefix + key] = String(value);
  }
  if (from.secretRef) {
    const secret = await sources.secret(from.secretRef.name);
    if (!secret && !from.secretRef.optional)
      throw new ConfigError(`secret "${from.secretRef.name}" not found`);
    for (const [key, value] of Object.entries(secret?.['data'] ?? {})) found[prefix + key] = decode(value);
  }
  return found;
}

const decode = (base64: unknown) => Buffer.from(String(base64), 'base64').toString('utf8');

async function valueFrom(
  from: any,
  pod: KubeObject,
  container: ContainerSpec,
  sources: EnvSources,
): Promise<string | undefined> {
  const namespace = pod.metadata.namespace;
  if (from.configMapKeyRef) {
    const { name, key, optional } = from.configMapKeyRef;
    const map = await sources.configMap(name);
    if (!map) {
      if (optional) return undefined;
      throw new ConfigError(`configmap "${name}" not found`);
    }
    const value = map['data']?.[key];
    if (value === undefined && !optional)
      throw new ConfigError(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`);
    return value;
  }
  if (from.secretKeyRef) {
    const { name, key, optional } = from.secretKeyRef;
    const secret = await sources.secret(name);
    if (!secret) {
      if (optional) return undefined;
      throw new ConfigError(`secret "${name}" not found`);
    }
    const value = secret['data']?.[key];
    if (value === undefined) {
      if (optional) return undefined;
      throw new ConfigError(`couldn't find key ${key} in Secret ${namespace}/${name}`);
    }
    return decode(value);
  }
  if (from.fieldRef) return fieldValue(from.fieldRef.fieldPath, pod, sources);
  if (from.resourceFieldRef) return resourceValue(from.resourceFieldRef, pod, container, sources);
  return undefined;
}

/** A pod field as the downward API gives it. */
export function fieldValue(path: string, pod: KubeObject, where: { podIP: string; hostIP: string }): string {
  const subscript = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (subscript) return pod.metadata[subscript[1] as 'labels' | 'annotations']?.[subscript[2]!] ?? '';
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name;
    case 'metadata.namespace':
      return pod.metadata.namespace ?? '';
    case 'metadata.uid':
      return pod.metadata.uid ?? '';
    case 'metadata.labels':
      return keyValueLines(pod.metadata.labels);
    case 'metadata.annotations':
      return keyValueLines(pod.metadata.annotations);
    case 'spec.nodeName':
      return pod['spec'].nodeName ?? '';
    case 'spec.serviceAccountName':
      return pod['spec'].serviceAccountName ?? 'default';
    case 'status.hostIP':
    case 'status.hostIPs':
      return where.hostIP;
    case 'status.podIP':
    case 'status.podIPs':
      return where.podIP;
    default:
      throw new ConfigError(`unsupported fieldPath: ${path}`);
  }
}

const keyValueLines = (map: Record<string, string> | undefined) =>
  Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');

/** `limits.cpu` and the like, divided and rounded up as upstream does; a missing limit is the node's allocatable. */
export function resourceValue(
  ref: { resource: string; divisor?: string; containerName?: string },
  pod: KubeObject,
  container: ContainerSpec,
  sources: { allocatable: Record<string, string> },
): string {
  const owner: ContainerSpec = ref.containerName
    ? ([...(pod['spec'].containers ?? []), ...(pod['spec'].initContainers ?? [])].find(
        c => c.name === ref.containerName,
      ) ?? container)
    : container;
  const [kind = 'limits', ...rest] = ref.resource.split('.');
  const resource = rest.join('.');
  const declared = owner.resources?.[kind as 'limits' | 'requests']?.[resource];
  const fallback = kind === 'limits' ? sources.allocatable[resource] : '0';
  const amount = quantityNumber(declared ?? fallback ?? '0');
  const divisor = quantityNumber(ref.divisor && ref.divisor !== '0' ? ref.divisor : '1');
  return String(Math.ceil(Number((amount / divisor).toFixed(9))));
}

function serviceVariables(services: KubeObject[], namespace: string, links: boolean): Record<string, string> {
  const env: Record<string, string> = {};
  for (const service of services) {
    const isMaster = service.metadata.namespace === 'default' && service.metadata.name === 'kubernetes';
    if (!isMaster && (!links || service.metadata.namespace !== namespace)) continue;
    const spec = service['spec'];
    const ip: string | undefined = spec.clusterIP;
    if (!ip || ip === 'None' || !spec.ports?.length) continue;
    const name = service.metadata.name.toUpperCase().replaceAll('-', '_');
    env[`${name}_SERVICE_HOST`] = ip;
    env[`${name}_SERVICE_PORT`] = String(spec.ports[0].port);
    for (const port of spec.ports)
      if (port.name)
        env[`${name}_SERVICE_PORT_${port.name.toUpperCase().replaceAll('-', '_')}`] = String(port.port);
    for (const [index, port] of spec.ports.entries()) {
      const protocol = (port.protocol ?? 'TCP') as string;
      const url = `${protocol.toLowerCase()}://${ip}:${port.port}`;
      const prefix = `${name}_PORT_${port.port}_${protocol}`;
      if (index === 0) env[`${name}_PORT`] = url;
      env[prefix] = url;
      env[`${prefix}_PROTO`] = protocol.toLowerCase();
      env[`${prefix}_PORT`] = String(port.port);
      env[`${prefix}_ADDR`] = ip;
    }
  }
  return env;
}
