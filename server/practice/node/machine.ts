// What a minikube node is: its name plate, images, labels and addresses, as a real one reports them. Data and small
// functions; knows no pods.

import { quantityNumber } from '../programs/index.ts';
import type { NodeOptions } from './types.ts';

export const VERSION = 'v1.36.2';
const MINIKUBE_VERSION = 'v1.38.1';
const MINIKUBE_COMMIT = 'c93a4cb9311efc66b90d33ea03f75f2c4120e9b0';
const EPHEMERAL_STORAGE = '264212084Ki';
const PODS = '110';

/** Present on every minikube node after its start. */
export const NODE_IMAGES: readonly string[] = [
  'registry.k8s.io/kube-proxy:v1.36.2',
  'registry.k8s.io/kube-apiserver:v1.36.2',
  'registry.k8s.io/kube-controller-manager:v1.36.2',
  'registry.k8s.io/coredns/coredns:v1.14.2',
  'registry.k8s.io/kube-scheduler:v1.36.2',
  'gcr.io/k8s-minikube/storage-provisioner:v5',
  'registry.k8s.io/etcd:3.6.8-0',
  'registry.k8s.io/pause:3.10.2',
];

/** The first node is 192.168.49.2, as the docker driver numbers them. */
export const nodeAddress = (index: number) => `192.168.49.${index + 2}`;
export const podPrefix = (index: number) => `10.244.${index}`;

const PAGE_KIB = 4;

/** A size as a node shows it: in Ki. */
function kibibytes(size: string, lessKib = 0): string {
  const bytes = quantityNumber(size);
  return Number.isFinite(bytes) ? `${Math.floor(bytes / 1024) - lessKib}Ki` : size;
}

export function capacityOf(options: NodeOptions): Record<string, string> {
  return {
    cpu: options.cpus,
    'ephemeral-storage': options.disk ? kibibytes(options.disk) : EPHEMERAL_STORAGE,
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
    // The kernel keeps the first page of a machine's memory; what it leaves is no round number.
    memory: kibibytes(options.memory, PAGE_KIB),
    pods: PODS,
  };
}

export function labelsOf(options: NodeOptions, index: number, now: number): Record<string, string> {
  const started = new Date(now).toISOString();
  const stamp = `${started.slice(0, 10).replaceAll('-', '_')}T${started.slice(11, 19).replaceAll(':', '_')}_0700`;
  const primary = index === 0;
  return {
    'beta.kubernetes.io/arch': 'amd64',
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': 'amd64',
    'kubernetes.io/hostname': options.name,
    'kubernetes.io/os': 'linux',
    'minikube.k8s.io/commit': MINIKUBE_COMMIT,
    'minikube.k8s.io/name': 'minikube',
    'minikube.k8s.io/primary': String(primary),
    'minikube.k8s.io/updated_at': stamp,
    'minikube.k8s.io/version': MINIKUBE_VERSION,
    ...(primary
      ? {
          'node-role.kubernetes.io/control-plane': '',
          'node.kubernetes.io/exclude-from-external-load-balancers': '',
        }
      : {}),
    ...options.labels,
  };
}

/** Identifiers are fixed per node: a node keeps its identity over restarts. */
export function nodeInfo(index: number): Record<string, string> {
  const id = (text: string) => `${index}${text}`.slice(0, 32).padEnd(32, '0');
  const machine = id('83bf6ab6ed04c3696323c6ecb054d6b');
  return {
    architecture: 'amd64',
    bootID: 'a7dc5685-f3fd-4114-9f9d-c732fba31cc4',
    containerRuntimeVersion: 'containerd://2.1.9',
    kernelVersion: '6.18.44',
    kubeProxyVersion: '',
    kubeletVersion: VERSION,
    machineID: machine,
    operatingSystem: 'linux',
    osImage: 'Debian GNU/Linux 12 (bookworm)',
    systemUUID: machine,
  };
}
