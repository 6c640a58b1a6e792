// The checks of the Pod Security Standards: what a pod spec does that a level does not allow. Knows no namespaces.

import { allContainers, type ContainerSpec } from '../requests.ts';

/** What is wrong, for people: `reason (detail)`. */
export interface Violation {
  reason: string;
  detail: string;
}

interface PodMetadata {
  annotations?: Record<string, string>;
}

type Spec = Record<string, any>;

type Check = (spec: Spec, metadata: PodMetadata) => Violation | undefined;

const quoted = (names: readonly string[]) => names.map(name => `"${name}"`).join(', ');
const plural = (word: string, names: readonly string[]) => (names.length === 1 ? word : `${word}s`);
/** `container "a"` or `containers "a", "b"`. */
const containersText = (names: readonly string[]) => `${plural('container', names)} ${quoted(names)}`;

function everyContainer(spec: Spec): ContainerSpec[] {
  return [...allContainers(spec), ...(spec.ephemeralContainers ?? [])];
}

function namesWhere(spec: Spec, bad: (container: ContainerSpec) => boolean): string[] {
  return everyContainer(spec)
    .filter(bad)
    .map(container => container.name);
}

const contextOf = (container: ContainerSpec): Spec => (container.securityContext ?? {}) as Spec;

const BASELINE_CAPABILITIES = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);

const SAFE_SYSCTLS = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
]);

const SELINUX_TYPES = new Set([
  '',
  'container_t',
  'container_init_t',
  'container_kvm_t',
  'container_engine_t',
]);
const RESTRICTED_VOLUMES = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);

function capabilities(spec: Spec): Violation | undefined {
  const names: string[] = [];
  const forbidden = new Set<string>();
  for (const container of everyContainer(spec)) {
    const added: string[] = contextOf(container).capabilities?.add ?? [];
    const bad = added.filter(name => !BASELINE_CAPABILITIES.has(name));
    if (bad.length === 0) continue;
    names.push(container.name);
    for (const name of bad) forbidden.add(name);
  }
  if (names.length === 0) return undefined;
  return {
    reason: 'non-default capabilities',
    detail: `${containersText(names)} must not include ${quoted([...forbidden].sort())} in securityContext.capabilities.add`,
  };
}

function hostNamespaces(spec: Spec): Violation | undefined {
  const used = ['hostNetwork', 'hostPID', 'hostIPC'].filter(field => spec[field] === true);
  if (used.length === 0) return undefined;
  return { reason: 'host namespaces', detail: used.map(field => `${field}=true`).join(', ') };
}

function hostPathVolumes(spec: Spec): Violation | undefined {
  const names: string[] = (spec.volumes ?? []).filter((v: Spec) => v.hostPath).map((v: Spec) => v.name);
  if (names.length === 0) return undefined;
  return { reason: 'hostPath volumes', detail: `${plural('volume', names)} ${quoted(names)}` };
}

function hostPorts(spec: Spec): Violation | undefined {
  const ports = new Set<number>();
  const names = namesWhere(spec, container => {
    const used = (container.ports ?? []).flatMap(({ hostPort }) => (hostPort ? [hostPort] : []));
    for (const port of used) ports.add(port);
    return used.length > 0;
  });
  if (names.length === 0) return undefined;
  const list = [...ports].sort((a, b) => a - b);
  return {
    reason: 'hostPort',
    detail: `${containersText(names)} ${names.length === 1 ? 'uses' : 'use'} ${list.length === 1 ? 'hostPort' : 'hostPorts'} ${list.join(', ')}`,
  };
}

function privileged(spec: Spec): Violation | undefined {
  const names = namesWhere(spec, container => contextOf(container).privileged === true);
  if (names.length === 0) return undefined;
  return {
    reason: 'privileged',
    detail: `${containersText(names)} must not set securityContext.privileged=true`,
  };
}

function procMount(spec: Spec): Violation | undefined {
  if (spec.hostUsers === false) return undefined;
  const kinds = new Set<string>();
  const names = namesWhere(spec, container => {
    const kind = contextOf(container).procMount;
    if (!kind || kind === 'Default') return false;
    kinds.add(kind);
    return true;
  });
  if (names.length === 0) return undefined;
  return {
    reason: 'procMount',
    detail: `${containersText(names)} must not set securityContext.procMount to ${quoted([...kinds].sort())}`,
  };
}

function seLinux(spec: Spec): Violation | undefined {
  const wrong = new Set<string>();
  const judge = (options: Spec | undefined): boolean => {
    if (!options) return false;
    let bad = false;
    const note = (text: string) => {
      wrong.add(text);
      bad = true;
    };
    if (!SELINUX_TYPES.has(options.type ?? '')) note(`type "${options.type}"`);
    if (options.user) note('user may not be set');
    if (options.role) note('role may not be set');
    return bad;
  };
  const setters: string[] = [];
  if (judge(spec.securityContext?.seLinuxOptions)) setters.push('pod');
  const names = namesWhere(spec, container => judge(contextOf(container).seLinuxOptions));
  if (names.length > 0) setters.push(containersText(names));
  if (setters.length === 0) return undefined;
  return {
    reason: 'seLinuxOptions',
    detail: `${setters.join(' and ')} set forbidden securityContext.seLinuxOptions: ${[...wrong].sort().join('; ')}`,
  };
}

function seccompBaseline(spec: Spec): Violation | undefined {
  const unconfined = (context: Spec | undefined) => context?.seccompProfile?.type === 'Unconfined';
  const setters: string[] = [];
  if (unconfined(spec.securityContext)) setters.push('pod');
  const names = namesWhere(spec, container => unconfined(contextOf(container)));
  if (names.length > 0) setters.push(containersText(names));
  if (setters.length === 0) return undefined;
  return {
    reason: 'seccompProfile',
    detail: `${setters.join(' and ')} must not set securityContext.seccompProfile.type to "Unconfined"`,
  };
}

function sysctls(spec: Spec): Violation | undefined {
  const names: string[] = (spec.securityContext?.sysctls ?? [])
    .map((sysctl: Spec) => sysctl.name)
    .filter((name: string) => !SAFE_SYSCTLS.has(name));
  if (names.length === 0) return undefined;
  return { reason: 'forbidden sysctls', detail: names.join(', ') };
}

function appArmor(spec: Spec, metadata: PodMetadata): Violation | undefined {
  const bad = (context: Spec | undefined) => context?.appArmorProfile?.type === 'Unconfined';
  const setters: string[] = [];
  if (bad(spec.securityContext)) setters.push('pod');
  const names = namesWhere(spec, container => bad(contextOf(container)));
  if (names.length > 0) setters.push(containersText(names));
  const prefix = 'container.apparmor.security.beta.kubernetes.io/';
  const annotated = Object.entries(metadata.annotations ?? {}).filter(
    ([key, value]) =>
      key.startsWith(prefix) &&
      value !== '' &&
      value !== 'runtime/default' &&
      !value.startsWith('localhost/'),
  );
  const details: string[] = [];
  if (setters.length > 0)
    details.push(`${setters.join(' and ')} must not set AppArmor profile type to "Unconfined"`);
  if (annotated.length > 0)
    details.push(
      `${annotated.length === 1 ? 'annotation' : 'annotations'} ${annotated.map(([key, value]) => `"${key}"="${value}"`).join(', ')}`,
    );
  if (details.length === 0) return undefined;
  return { reason: 'forbidden AppArmor profile', detail: details.join(' and ') };
}

function allowPrivilegeEscalation(spec: Spec): Violation | undefined {
  if (spec.os?.name === 'windows') return undefined;
  const names = namesWhere(spec, container => contextOf(container).allowPrivilegeEscalation !== false);
  if (names.length === 0) return undefined;
  return {
    reason: 'allowPrivilegeEscalation != false',
    detail: `${containersText(names)} must set securityContext.allowPrivilegeEscalation=false`,
  };
}

function unrestrictedCapabilities(spec: Spec): Violation | undefined {
  if (spec.os?.name === 'windows') return undefined;
  const forbidden = new Set<string>();
  const adding: string[] = [];
  const missing: string[] = [];
  for (const container of everyContainer(spec)) {
    const { add = [], drop = [] } = contextOf(container).capabilities ?? {};
    if (!drop.includes('ALL')) missing.push(container.name);
    const bad = (add as string[]).filter(name => name !== 'NET_BIND_SERVICE');
    if (bad.length === 0) continue;
    adding.push(container.name);
    for (const name of bad) forbidden.add(name);
  }
  const details: string[] = [];
  if (missing.length > 0)
    details.push(`${containersText(missing)} must set securityContext.capabilities.drop=["ALL"]`);
  if (adding.length > 0)
    details.push(
      `${containersText(adding)} must not include ${quoted([...forbidden].sort())} in securityContext.capabilities.add`,
    );
  if (details.length === 0) return undefined;
  return { reason: 'unrestricted capabilities', detail: details.join('; ') };
}

function restrictedVolumes(spec: Spec): Violation | undefined {
  const types = new Set<string>();
  const names: string[] = [];
  for (const volume of spec.volumes ?? []) {
    const type = Object.keys(volume).find(key => key !== 'name' && volume[key] !== undefined);
    if (!type || RESTRICTED_VOLUMES.has(type)) continue;
    names.push(volume.name);
    types.add(type);
  }
  if (names.length === 0) return undefined;
  return {
    reason: 'restricted volume types',
    detail: `${plural('volume', names)} ${quoted(names)} ${names.length === 1 ? 'uses' : 'use'} restricted volume ${types.size === 1 ? 'type' : 'types'} ${quoted([...types].sort())}`,
  };
}

function runAsNonRoot(spec: Spec): Violation | undefined {
  const setters: string[] = [];
  const podSays = spec.securityContext?.runAsNonRoot;
  if (podSays === false) setters.push('pod');
  const explicit = namesWhere(spec, container => contextOf(container).runAsNonRoot === false);
  if (explicit.length > 0) setters.push(containersText(explicit));
  if (setters.length > 0) {
    return {
      reason: 'runAsNonRoot != true',
      detail: `${setters.join(' and ')} must not set securityContext.runAsNonRoot=false`,
    };
  }
  const silent = namesWhere(spec, container => contextOf(container).runAsNonRoot === undefined);
  if (podSays === true || silent.length === 0) return undefined;
  return {
    reason: 'runAsNonRoot != true',
    detail: `pod or ${containersText(silent)} must set securityContext.runAsNonRoot=true`,
  };
}

function runAsUser(spec: Spec): Violation | undefined {
  const setters: string[] = [];
  if (spec.securityContext?.runAsUser === 0) setters.push('pod');
  const names = namesWhere(spec, container => contextOf(container).runAsUser === 0);
  if (names.length > 0) setters.push(containersText(names));
  if (setters.length === 0) return undefined;
  return { reason: 'runAsUser=0', detail: `${setters.join(' and ')} must not set runAsUser=0` };
}

function seccompRestricted(spec: Spec): Violation | undefined {
  if (spec.os?.name === 'windows') return undefined;
  const fine = (type: unknown) => type === 'RuntimeDefault' || type === 'Localhost';
  const podType = spec.securityContext?.seccompProfile?.type;
  const setters: string[] = [];
  if (podType !== undefined && !fine(podType)) setters.push('pod');
  const bad = namesWhere(spec, container => {
    const type = contextOf(container).seccompProfile?.type;
    return type !== undefined && !fine(type);
  });
  if (bad.length > 0) setters.push(containersText(bad));
  if (setters.length > 0) {
    return {
      reason: 'seccompProfile',
      detail: `${setters.join(' and ')} must not set securityContext.seccompProfile.type to "Unconfined"`,
    };
  }
  const silent = namesWhere(spec, container => contextOf(container).seccompProfile?.type === undefined);
  if (fine(podType) || silent.length === 0) return undefined;
  return {
    reason: 'seccompProfile',
    detail: `pod or ${containersText(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
  };
}

/** In the order in which upstream reports them. */
const BASELINE: readonly Check[] = [
  appArmor,
  capabilities,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  privileged,
  procMount,
  seLinux,
  seccompBaseline,
  sysctls,
];

/** Those of baseline that have a stricter sibling are left to it. */
const RESTRICTED: readonly Check[] = [
  ...BASELINE.filter(
    check => check !== capabilities && check !== hostPathVolumes && check !== seccompBaseline,
  ),
  allowPrivilegeEscalation,
  unrestrictedCapabilities,
  restrictedVolumes,
  runAsNonRoot,
  runAsUser,
  seccompRestricted,
];

export type Level = 'privileged' | 'baseline' | 'restricted';

export function violations(level: Level, spec: Spec, metadata: PodMetadata): Violation[] {
  const checks = level === 'privileged' ? [] : level === 'baseline' ? BASELINE : RESTRICTED;
  return checks.flatMap(check => check(spec, metadata) ?? []);
}
