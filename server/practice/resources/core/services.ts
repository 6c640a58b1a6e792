// Services, with the allocation of cluster addresses and node ports.

import {
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  duplicate,
  type FieldError,
  forbiddenField,
  invalidAll,
  invalidValue,
  ipErrors,
  type KubeObject,
  portNumberErrors,
  required,
} from '../../../kube/index.ts';
import { formatLabels } from '../../../kube/selectors/index.ts';
import { AGE, age, NAME, orNone, text, wide } from '../format.ts';
import { statusOf } from '../parts.ts';
import type { HookContext, ResourceDefinition } from '../types.ts';
import { labelMap, oneOf, portOrName, same } from '../validation/common.ts';
import { PROTOCOLS } from '../validation/container.ts';
import {
  freeClusterIp,
  freeNodePort,
  heldByOthers,
  inRange,
  NODE_PORT_MAX,
  NODE_PORT_MIN,
  serviceRange,
} from './service-allocation.ts';

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const HEADLESS = 'None';
/** Longer lists of external addresses are cut, as upstream does when not wide. */
const LOAD_BALANCER_WIDTH = 16;

const needsClusterIp = (spec: any): boolean => spec.type !== 'ExternalName' && spec.clusterIP !== HEADLESS;
const needsNodePorts = (spec: any): boolean =>
  spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
const needsHealthPort = (spec: any): boolean =>
  spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';

function allocate(service: KubeObject, context: HookContext): void {
  const { spec } = service;
  if (spec.type === 'ExternalName') return;
  // clusterIP and clusterIPs[0] are one value; whichever was given counts.
  if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
  else if (!spec.clusterIP && spec.clusterIPs?.length) spec.clusterIP = spec.clusterIPs[0];
  const held = heldByOthers(service, context);
  if (needsClusterIp(spec) && !spec.clusterIP) {
    const ip = freeClusterIp(held, serviceRange(context), context);
    if (ip) {
      spec.clusterIP = ip;
      spec.clusterIPs = [ip];
    }
  }
  spec.ipFamilies ??= [spec.clusterIP?.includes(':') ? 'IPv6' : 'IPv4'];
  spec.ipFamilyPolicy ??= 'SingleStack';
  if (needsNodePorts(spec)) {
    for (const port of spec.ports ?? [])
      if (port.nodePort) held.nodePorts.add(`${port.protocol}:${port.nodePort}`);
    for (const port of spec.ports ?? []) {
      if (port.nodePort) continue;
      port.nodePort = freeNodePort(held, port.protocol, context);
      held.nodePorts.add(`${port.protocol}:${port.nodePort}`);
    }
  }
  if (needsHealthPort(spec) && !spec.healthCheckNodePort)
    spec.healthCheckNodePort = freeNodePort(held, 'TCP', context);
}

/** Values the server allocated stay when an update leaves them out, as long as they are still needed. */
function keepAllocated(spec: any, old: any): void {
  if (needsClusterIp(spec) && needsClusterIp(old)) {
    if (!spec.clusterIP) spec.clusterIP = old.clusterIP;
    if (!spec.clusterIPs?.length && spec.clusterIP === old.clusterIP) spec.clusterIPs = old.clusterIPs;
  }
  if (spec.type !== 'ExternalName' && old.type !== 'ExternalName') {
    spec.ipFamilies ??= old.ipFamilies;
    spec.ipFamilyPolicy ??= old.ipFamilyPolicy;
  }
  if (needsNodePorts(spec) && needsNodePorts(old)) {
    const taken = new Set((spec.ports ?? []).map((port: any) => port.nodePort).filter(Boolean));
    for (const port of spec.ports ?? []) {
      if (port.nodePort) continue;
      const before = (old.ports ?? []).find(
        (other: any) => (other.name ?? '') === (port.name ?? ''),
      )?.nodePort;
      if (before && !taken.has(before)) port.nodePort = before;
    }
  }
  if (needsHealthPort(spec) && needsHealthPort(old)) spec.healthCheckNodePort ||= old.healthCheckNodePort;
}

/** The single and the listed address are one value: the one that was changed speaks for both. */
function alignClusterIps(spec: any, old: any): void {
  if (spec.clusterIP !== old.clusterIP) {
    if (!same(spec.clusterIPs, old.clusterIPs)) return;
    if (spec.clusterIP) spec.clusterIPs = [spec.clusterIP, ...(old.clusterIPs ?? []).slice(1)];
    else delete spec.clusterIPs;
  } else if (!same(spec.clusterIPs, old.clusterIPs)) {
    if (spec.clusterIPs?.length) spec.clusterIP = spec.clusterIPs[0];
    else delete spec.clusterIP;
  }
}

/** What only the former type needed goes, unless the client set it anew. */
function dropWhatTypeLost(spec: any, old: any): void {
  if (spec.type === old.type) return;
  if (!needsClusterIp(spec) && spec.clusterIP !== HEADLESS && needsClusterIp(old)) {
    for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'internalTrafficPolicy'])
      if (same(spec[field], old[field])) delete spec[field];
  }
  if (!needsNodePorts(spec) && needsNodePorts(old)) {
    const before = new Set((old.ports ?? []).map((port: any) => port.nodePort));
    for (const port of spec.ports ?? []) if (before.has(port.nodePort)) delete port.nodePort;
    if (
      spec.type === 'ClusterIP' &&
      !spec.externalIPs?.length &&
      spec.externalTrafficPolicy === old.externalTrafficPolicy
    )
      delete spec.externalTrafficPolicy;
  }
  if (spec.type !== 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === old.allocateLoadBalancerNodePorts)
      delete spec.allocateLoadBalancerNodePorts;
    if (spec.healthCheckNodePort === old.healthCheckNodePort) delete spec.healthCheckNodePort;
  }
}

function portFindings(spec: any): FieldError[] {
  const ports: any[] = spec.ports ?? [];
  if (ports.length === 0 && spec.clusterIP !== HEADLESS && spec.type !== 'ExternalName')
    return [required('spec.ports')];
  const names = new Set<string>();
  const pairs = new Set<string>();
  return ports.flatMap((port, i) => {
    const at = `spec.ports[${i}]`;
    const findings: FieldError[] = [];
    if (ports.length > 1 && !port.name) findings.push(required(`${at}.name`));
    else if (port.name) {
      findings.push(...invalidAll(`${at}.name`, port.name, dns1123LabelErrors(port.name)));
      if (names.has(port.name)) findings.push(duplicate(`${at}.name`, port.name));
      names.add(port.name);
    }
    findings.push(...invalidAll(`${at}.port`, port.port ?? 0, portNumberErrors(port.port ?? 0)));
    if (!port.protocol) findings.push(required(`${at}.protocol`));
    else findings.push(...oneOf(port.protocol, PROTOCOLS, `${at}.protocol`));
    findings.push(...portOrName(port.targetPort, `${at}.targetPort`));
    const pair = `${port.protocol}:${port.port}`;
    if (pairs.has(pair)) findings.push(duplicate(at, { port: port.port, protocol: port.protocol }));
    pairs.add(pair);
    if (port.nodePort && !needsNodePorts(spec) && spec.type === 'ClusterIP')
      findings.push(forbiddenField(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
    return findings;
  });
}

function specFindings(service: KubeObject): FieldError[] {
  const spec = service.spec ?? {};
  const findings = portFindings(spec);
  if (spec.type === 'LoadBalancer' && spec.clusterIP === HEADLESS)
    findings.push(
      invalidValue('spec.clusterIPs[0]', HEADLESS, "may not be set to 'None' for LoadBalancer services"),
    );
  if (spec.type === 'NodePort' && spec.clusterIP === HEADLESS)
    findings.push(
      invalidValue('spec.clusterIPs[0]', HEADLESS, "may not be set to 'None' for NodePort services"),
    );
  if (spec.type === 'ExternalName') {
    if (spec.clusterIP)
      findings.push(forbiddenField('spec.clusterIPs', "may not be set when `type` is 'ExternalName'"));
    if (!spec.externalName) findings.push(required('spec.externalName'));
    else
      findings.push(
        ...invalidAll(
          'spec.externalName',
          spec.externalName,
          dns1123SubdomainErrors(spec.externalName.replace(/\.$/, '')),
        ),
      );
  }
  findings.push(...labelMap(spec.selector, 'spec.selector'));
  if (!spec.sessionAffinity) findings.push(required('spec.sessionAffinity'));
  else findings.push(...oneOf(spec.sessionAffinity, ['ClientIP', 'None'], 'spec.sessionAffinity'));
  const timeout = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (timeout !== undefined && (timeout <= 0 || timeout > 86400))
    findings.push(
      invalidValue(
        'spec.sessionAffinityConfig.clientIP.timeoutSeconds',
        timeout,
        'must be greater than 0 and less than 86400',
      ),
    );
  for (const [i, ip] of (spec.externalIPs ?? []).entries())
    findings.push(...invalidAll(`spec.externalIPs[${i}]`, ip, ipErrors(ip)));
  if (!spec.type) findings.push(required('spec.type'));
  else findings.push(...oneOf(spec.type, TYPES, 'spec.type'));
  findings.push(
    ...oneOf(spec.externalTrafficPolicy, ['Cluster', 'Local'], 'spec.externalTrafficPolicy'),
    ...oneOf(spec.internalTrafficPolicy, ['Cluster', 'Local'], 'spec.internalTrafficPolicy'),
  );
  if (spec.clusterIP && spec.clusterIP !== HEADLESS && spec.type !== 'ExternalName')
    findings.push(...invalidAll('spec.clusterIPs[0]', spec.clusterIP, ipErrors(spec.clusterIP)));
  if (spec.clusterIPs?.length && spec.clusterIP !== spec.clusterIPs[0])
    findings.push(invalidValue('spec.clusterIP', spec.clusterIP, 'first element must match `clusterIPs[0]`'));
  return findings;
}

function allocationFindings(service: KubeObject, context: HookContext): FieldError[] {
  const { spec } = service;
  const held = heldByOthers(service, context);
  const findings: FieldError[] = [];
  if (spec.type !== 'ExternalName' && spec.clusterIP && spec.clusterIP !== HEADLESS) {
    const range = serviceRange(context);
    const fail = (why: string) =>
      findings.push(
        invalidValue('spec.clusterIPs', spec.clusterIPs, `failed to allocate IP ${spec.clusterIP}: ${why}`),
      );
    if (!spec.clusterIP.includes(':') && !inRange(spec.clusterIP, range))
      fail(
        `the provided IP (${spec.clusterIP}) is not in the valid range. The range of valid IPs is ${range.cidr}`,
      );
    else if (held.ips.has(spec.clusterIP)) fail('provided IP is already allocated');
  }
  const own = new Set<string>();
  for (const [i, port] of (spec.ports ?? []).entries()) {
    if (!port.nodePort) continue;
    const at = `spec.ports[${i}].nodePort`;
    const id = `${port.protocol}:${port.nodePort}`;
    if (port.nodePort < NODE_PORT_MIN || port.nodePort > NODE_PORT_MAX)
      findings.push(
        invalidValue(
          at,
          port.nodePort,
          `provided port is not in the valid range. The range of valid ports is ${NODE_PORT_MIN}-${NODE_PORT_MAX}`,
        ),
      );
    else if (held.nodePorts.has(id) || own.has(id))
      findings.push(invalidValue(at, port.nodePort, 'provided port is already allocated'));
    own.add(id);
  }
  return findings;
}

function externalIp(service: KubeObject): string {
  const spec = service.spec ?? {};
  const external: string[] = spec.externalIPs ?? [];
  switch (spec.type) {
    case 'ClusterIP':
    case 'NodePort':
      return orNone(external.join(','));
    case 'LoadBalancer': {
      const ingress = (service.status?.loadBalancer?.ingress ?? [])
        .map((entry: any) => entry.ip || entry.hostname)
        .filter(Boolean)
        .join(',');
      const cut =
        ingress.length > LOAD_BALANCER_WIDTH ? `${ingress.slice(0, LOAD_BALANCER_WIDTH - 3)}...` : ingress;
      const all = [...(cut ? [cut] : []), ...external];
      return all.length > 0 ? all.join(',') : '<pending>';
    }
    case 'ExternalName':
      return spec.externalName ?? '';
    default:
      return '<unknown>';
  }
}

const portCell = (ports: any[] = []): string =>
  orNone(
    ports
      .map(p => (p.nodePort ? `${p.port}:${p.nodePort}/${p.protocol}` : `${p.port}/${p.protocol}`))
      .join(','),
  );

export const services: ResourceDefinition = {
  group: '',
  versions: ['v1'],
  kind: 'Service',
  resource: 'services',
  singular: 'service',
  shortNames: ['svc'],
  categories: ['all'],
  namespaced: true,
  subresources: [
    {
      name: 'proxy',
      kind: { group: '', version: 'v1', kind: 'ServiceProxyOptions' },
      verbs: ['create', 'delete', 'get', 'patch', 'update'],
    },
    statusOf('', 'v1', 'Service'),
  ],
  nameRule: 'dns1035-label',
  returnsDeleted: true,
  selectableFields: {
    'spec.clusterIP': service => service.spec?.clusterIP ?? '',
    'spec.type': service => service.spec?.type ?? '',
  },
  prepareForCreate(service, context) {
    service.status = { loadBalancer: {} };
    service.spec ??= {};
    if (portFindings(service.spec).length === 0) allocate(service, context);
  },
  prepareForUpdate(service, old, context) {
    service.status = old.status;
    alignClusterIps(service.spec, old.spec);
    dropWhatTypeLost(service.spec, old.spec);
    keepAllocated(service.spec, old.spec);
    if (portFindings(service.spec).length === 0) allocate(service, context);
  },
  validate(service, context) {
    const findings = specFindings(service);
    return findings.length > 0 ? findings : allocationFindings(service, context);
  },
  validateUpdate(service, old) {
    const before: string[] = old.spec?.clusterIPs ?? [];
    const now: string[] = service.spec?.clusterIPs ?? [];
    if (old.spec?.type === 'ExternalName' || service.spec?.type === 'ExternalName' || before.length === 0)
      return [];
    return before[0] !== now[0] ? [invalidValue('spec.clusterIPs[0]', now, 'may not change once set')] : [];
  },
  columns: [
    NAME,
    text(
      'Type',
      'Type determines how the Service is exposed. Valid options are ExternalName, ClusterIP, NodePort, and LoadBalancer.',
    ),
    text('Cluster-IP', 'The IP address of the service, assigned by the cluster.'),
    text('External-IP', 'Addresses at which the service is reached from outside the cluster.'),
    text('Port(s)', 'The list of ports that are exposed by this service.'),
    AGE,
    wide('Selector'),
  ],
  row: (service, context) => [
    service.metadata.name,
    service.spec?.type ?? '',
    orNone(service.spec?.clusterIPs?.[0] ?? service.spec?.clusterIP),
    externalIp(service),
    portCell(service.spec?.ports),
    age(service, context),
    formatLabels(service.spec?.selector),
  ],
};
