// What surrounds a starting container: its command line, resolver and hosts files, sub-paths, and the runtime's words.
// Pure functions; knows no container life.

import type { KubeObject } from '../../kube/index.ts';
import { type DirNode, directory, type FileNode, MAX_LINKS, normalisePath } from '../programs/index.ts';
import { expand } from './env.ts';

/** As Go prints a duration: `1.21s`, `10s`, `2m40s`, `350ms`. */
export function goDuration(ms: number): string {
  const whole = Math.round(ms);
  if (whole < 1000) return whole === 0 ? '0s' : `${whole}ms`;
  const minutes = Math.floor(whole / 60_000);
  const seconds = (whole % 60_000) / 1000;
  const text = `${Number(seconds.toFixed(3))}s`;
  if (minutes === 0) return text;
  const hours = Math.floor(minutes / 60);
  return hours > 0 ? `${hours}h${minutes % 60}m${text}` : `${minutes}m${text}`;
}

export function commandOf(
  spec: any,
  config: { entrypoint?: string[]; cmd?: string[] } | undefined,
  env: Record<string, string>,
): string[] {
  const entrypoint: string[] = spec.command ?? config?.entrypoint ?? [];
  const args: string[] = spec.args ?? (spec.command ? [] : (config?.cmd ?? []));
  const argv = [...entrypoint, ...args].map(part => expand(part, env));
  // An image whose configuration is not known starts with something of its own.
  return argv.length > 0 || config ? argv : ['/entrypoint'];
}

/** What the runtime puts before its own words. */
export const RUNTIME_FAILURE =
  'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ';

export function resolvConf(pod: KubeObject, namespace: string): string {
  const spec = pod['spec'];
  const cluster = `search ${namespace}.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n`;
  const node = 'nameserver 192.168.49.1\noptions edns0 trust-ad ndots:0\n';
  if (spec.dnsPolicy === 'Default' || (spec.dnsPolicy === 'ClusterFirst' && spec.hostNetwork)) return node;
  if (spec.dnsPolicy === 'None') {
    const config = spec.dnsConfig ?? {};
    const lines = [];
    if (config.searches?.length) lines.push(`search ${config.searches.join(' ')}`);
    for (const server of config.nameservers ?? []) lines.push(`nameserver ${server}`);
    const options = (config.options ?? []).map((o: any) => (o.value ? `${o.name}:${o.value}` : o.name));
    if (options.length > 0) lines.push(`options ${options.join(' ')}`);
    return `${lines.join('\n')}\n`;
  }
  return cluster;
}

export function hostsFile(pod: KubeObject, address: string, hostname: string): string {
  const spec = pod['spec'];
  const lines = [
    '# Kubernetes-managed hosts file.',
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'fe00::0\tip6-mcastprefix',
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
    spec.subdomain
      ? `${address}\t${hostname}.${spec.subdomain}.${pod.metadata.namespace}.svc.cluster.local\t${hostname}`
      : `${address}\t${hostname}`,
  ];
  if (spec.hostAliases?.length) {
    lines.push('', '# Entries added by HostAliases.');
    for (const alias of spec.hostAliases) lines.push(`${alias.ip}\t${(alias.hostnames ?? []).join('\t')}`);
  }
  return `${lines.join('\n')}\n`;
}

/** The part of a volume that a subPath names; a directory is made when nothing is there. */
export function below(volume: DirNode | FileNode, subPath: string, now: number): DirNode | FileNode {
  let node: DirNode | FileNode = volume;
  const parts = normalisePath(subPath).slice(1).split('/');
  for (let links = 0; parts.length > 0 && node.kind === 'dir'; ) {
    const part = parts.shift()!;
    let next = node.children.get(part);
    // A key of a config map is a link to its file; a link out of the volume leads nowhere.
    if (next?.kind === 'link' && !next.target.startsWith('/') && links++ < MAX_LINKS) {
      parts.unshift(...next.target.split('/'));
      continue;
    }
    if (!next || next.kind === 'link') {
      next = directory(now, 0o777);
      node.children.set(part, next);
    }
    node = next;
  }
  return node;
}

/** Why a container that must not run as root may not start, in the kubelet's words; undefined when it may. */
export function rootRefusal(pod: KubeObject, spec: any, imageUser = '0'): string | undefined {
  const context = { ...pod['spec'].securityContext, ...spec.securityContext };
  if (!context.runAsNonRoot) return undefined;
  const { name, namespace, uid } = pod.metadata;
  const where = `(pod: "${name}_${namespace}(${uid})", container: ${spec.name})`;
  if (context.runAsUser === 0) return `container's runAsUser breaks non-root policy ${where}`;
  if (context.runAsUser !== undefined) return undefined;
  if (imageUser === '0' || imageUser === 'root')
    return `container has runAsNonRoot and image will run as root ${where}`;
  if (/^\d+(:\d+)?$/.test(imageUser)) return undefined;
  return `container has runAsNonRoot and image has non-numeric user (${imageUser}), cannot verify user is non-root ${where}`;
}
