// What a PyTorchJob says, with the defaults its controller fills in, and the pods and Services that follow from it.
// Pure: knows no API.

import type { KubeObject } from '../../../kube/index.ts';
import { controlledBy } from '../operator/index.ts';

const OPERATOR = 'pytorchjob-controller';
const LABEL = 'training.kubeflow.org';
const CONTAINER = 'pytorch';
const PORT_NAME = 'pytorchjob-port';
const PORT = 23456;
const INIT_IMAGE = 'alpine:3.10';
/** How often a worker looks for its master, every two seconds. */
const MAX_TRIES = 100;

export type Role = 'Master' | 'Worker';

export interface ReplicaSpec {
  role: Role;
  replicas: number;
  restartPolicy: 'Always' | 'OnFailure' | 'Never' | 'ExitCode';
  template: any;
}

export interface RunPolicy {
  cleanPodPolicy: 'None' | 'Running' | 'All';
  backoffLimit?: number;
  activeDeadlineSeconds?: number;
  ttlSecondsAfterFinished?: number;
  suspend?: boolean;
}

/** Master first: it is looked at first, too. Keys are taken in any case. */
export function replicasOf(job: KubeObject): ReplicaSpec[] {
  const specs = Object.entries<any>(job['spec']?.pytorchReplicaSpecs ?? {});
  return (['Master', 'Worker'] as const).flatMap(role => {
    const spec = specs.find(([key]) => key.toLowerCase() === role.toLowerCase())?.[1];
    if (!spec) return [];
    const { replicas = 1, restartPolicy = 'OnFailure', template } = spec;
    return [{ role, replicas, restartPolicy, template }];
  });
}

export const runPolicyOf = (job: KubeObject): RunPolicy => ({
  cleanPodPolicy: 'None',
  ...job['spec']?.runPolicy,
});

export const nameOf = (job: KubeObject, role: Role, index: number) =>
  `${job.metadata.name}-${role.toLowerCase()}-${index}`;

/** What all objects of one role carry. */
export const roleLabels = (job: KubeObject, role: Role): Record<string, string> => ({
  [`${LABEL}/job-name`]: job.metadata.name,
  [`${LABEL}/operator-name`]: OPERATOR,
  [`${LABEL}/replica-type`]: role.toLowerCase(),
});

/** Which replica of its role an object is; undefined when it is of another role. */
export function indexOf({ metadata }: KubeObject, role: Role): number | undefined {
  const { [`${LABEL}/replica-type`]: type, [`${LABEL}/replica-index`]: index } = metadata.labels ?? {};
  return type === role.toLowerCase() && index !== undefined ? Number(index) : undefined;
}

function labelsOf(job: KubeObject, role: Role, index: number): Record<string, string> {
  return {
    ...roleLabels(job, role),
    [`${LABEL}/replica-index`]: String(index),
  };
}

export function podOf(job: KubeObject, spec: ReplicaSpec, index: number): KubeObject {
  const { role, restartPolicy } = spec;
  const template = structuredClone(spec.template ?? {});
  const pod = template.spec ?? { containers: [] };
  const env = environmentOf(job, role, index);
  for (const container of pod.containers) {
    container.env = [...(container.env ?? []), ...env];
    const named = (container.ports ?? []).some((port: { name?: string }) => port.name === PORT_NAME);
    if (container.name === CONTAINER && !named)
      container.ports = [
        ...(container.ports ?? []),
        { name: PORT_NAME, containerPort: PORT, protocol: 'TCP' },
      ];
  }
  const hasMaster = replicasOf(job).some(other => other.role === 'Master');
  if (role === 'Worker' && hasMaster)
    pod.initContainers = [...(pod.initContainers ?? []), waitingFor(nameOf(job, 'Master', 0))];
  // The operator itself decides about exit codes, so the kubelet must not.
  pod.restartPolicy = restartPolicy === 'ExitCode' ? 'Never' : restartPolicy;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...template.metadata,
      name: nameOf(job, role, index),
      ...(job.metadata.namespace && { namespace: job.metadata.namespace }),
      labels: {
        ...template.metadata?.labels,
        ...labelsOf(job, role, index),
        ...(role === 'Master' && { [`${LABEL}/job-role`]: 'master' }),
      },
      ownerReferences: [controlledBy(job)],
    },
    spec: pod,
  };
}

const waitingFor = (master: string) => ({
  name: 'init-pytorch',
  image: INIT_IMAGE,
  imagePullPolicy: 'IfNotPresent',
  resources: { limits: { cpu: '100m', memory: '20Mi' }, requests: { cpu: '50m', memory: '10Mi' } },
  command: [
    'sh',
    '-c',
    `err=1;for i in $(seq ${MAX_TRIES}); do if nslookup ${master}; then err=0 && break; fi;echo waiting for master; sleep 2; done; exit $err`,
  ],
});

/** By these PyTorch's processes find each other; those with PET_ are read by torchrun. */
function environmentOf(job: KubeObject, role: Role, index: number): { name: string; value: string }[] {
  const specs = replicasOf(job);
  const nodes = specs.reduce((sum, { replicas }) => sum + replicas, 0);
  const perNode = String(job['spec']?.nprocPerNode ?? 'auto');
  const processes = /^\d+$/.test(perNode) ? Number(perNode) : 1;
  const rank = String(role === 'Worker' ? index + 1 : index);
  const master = nameOf(job, 'Master', 0);
  const meeting = {
    MASTER_PORT: String(PORT),
    PET_MASTER_PORT: String(PORT),
    MASTER_ADDR: master,
    PET_MASTER_ADDR: master,
    WORLD_SIZE: String(nodes * processes),
    RANK: rank,
    PET_NODE_RANK: rank,
  };
  const values = {
    PYTHONUNBUFFERED: '1',
    ...(specs.some(spec => spec.role === 'Master') && meeting),
    PET_NPROC_PER_NODE: perNode,
    PET_NNODES: String(nodes),
  };
  return Object.entries(values).map(([name, value]) => ({ name, value }));
}

/** Headless: its name leads to the one pod. */
export function serviceOf(job: KubeObject, role: Role, index: number): KubeObject {
  const labels = labelsOf(job, role, index);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: nameOf(job, role, index),
      ...(job.metadata.namespace && { namespace: job.metadata.namespace }),
      labels,
      ownerReferences: [controlledBy(job)],
    },
    spec: { clusterIP: 'None', selector: labels, ports: [{ name: PORT_NAME, port: PORT, protocol: 'TCP' }] },
  };
}
