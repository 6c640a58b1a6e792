// What an MPIJob (v2beta1) says, and the objects that follow from it: a list of hosts, a key, workers with names of their own
// and a launcher. Pure: knows no API.

import type { KubeObject } from '../../../kube/index.ts';
import { controlledBy } from '../operator/index.ts';

const LABEL = 'training.kubeflow.org';
const CONFIG_PATH = '/etc/mpi';
const CONFIG_VOLUME = 'mpi-job-config';
const SSH_VOLUME = 'ssh-auth';

export interface MpiSpec {
  slots: number;
  sshPath: string;
  workers: number;
  /** The launcher is made once all workers are ready. */
  waits: boolean;
  launcher: any;
  worker: any;
  policy: { cleanPodPolicy: string; suspend?: boolean } & Record<string, any>;
}

export function mpiSpecOf(job: KubeObject): MpiSpec {
  const { mpiReplicaSpecs = {}, runPolicy, slotsPerWorker, sshAuthMountPath } = job['spec'] ?? {};
  const { Launcher: launcher, Worker: worker } = mpiReplicaSpecs;
  return {
    slots: slotsPerWorker ?? 1,
    sshPath: sshAuthMountPath ?? '/root/.ssh',
    workers: worker ? (worker.replicas ?? 0) : 0,
    waits: job['spec']?.launcherCreationPolicy === 'WaitForWorkersReady',
    launcher,
    worker,
    policy: { cleanPodPolicy: 'None', ...runPolicy },
  };
}

/** Everything that is wrong with it, in the words of its validation. */
export function mpiFaults({ launcher, worker }: MpiSpec): string[] {
  const faults: string[] = [];
  const roles = 'spec.mpiReplicaSpecs';
  if (!launcher) faults.push(`${roles}[Launcher]: Required value: must have Launcher replica spec`);
  else if ((launcher.replicas ?? 1) !== 1)
    faults.push(`${roles}[Launcher].replicas: Invalid value: ${launcher.replicas}: must be 1`);
  for (const [role, spec] of Object.entries({ Launcher: launcher, Worker: worker }))
    if (spec && !spec.template?.spec?.containers?.length)
      faults.push(
        `${roles}[${role}].template.spec.containers: Required value: must define at least one container`,
      );
  return faults;
}

export const workerName = ({ metadata }: KubeObject, index: number) => `${metadata.name}-worker-${index}`;
export const launcherName = ({ metadata }: KubeObject) => `${metadata.name}-launcher`;

const jobLabels = ({ metadata }: KubeObject, role?: 'launcher' | 'worker'): Record<string, string> => ({
  [`${LABEL}/job-name`]: metadata.name,
  [`${LABEL}/operator-name`]: 'mpi-operator',
  ...(role && { [`${LABEL}/job-role`]: role }),
});

export const isLauncherPod = (job: KubeObject, { metadata }: KubeObject) =>
  Object.entries(jobLabels(job, 'launcher')).every(([key, value]) => metadata.labels?.[key] === value);

function object(job: KubeObject, apiVersion: string, kind: string, name: string): KubeObject {
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(job.metadata.namespace && { namespace: job.metadata.namespace }),
      labels: { app: job.metadata.name },
      ownerReferences: [controlledBy(job)],
    },
  };
}

/** Headless, so that each worker has a name in the cluster's DNS. */
export const mpiServiceOf = (job: KubeObject): KubeObject => ({
  ...object(job, 'v1', 'Service', job.metadata.name),
  spec: { clusterIP: 'None', selector: jobLabels(job) },
});

/** The hosts with their slots; `running` are those that `discover_hosts.sh` tells. */
export function hostsOf(job: KubeObject, spec: MpiSpec, running: readonly string[]): KubeObject {
  const { name, namespace } = job.metadata;
  const address = (worker: string) => `${worker}.${name}.${namespace}.svc`;
  const all = Array.from({ length: spec.workers }, (_, index) => address(workerName(job, index)));
  const lines = (texts: string[]) => texts.map(text => `${text}\n`).join('');
  return {
    ...object(job, 'v1', 'ConfigMap', `${name}-config`),
    data: {
      hostfile: lines(all.map(host => `${host} slots=${spec.slots}`)),
      'discover_hosts.sh': lines(['#!/bin/sh', ...running.map(worker => `echo ${address(worker)}`)]),
    },
  };
}

export const keyOf = (job: KubeObject, key: { privateKey: string; publicKey: string }): KubeObject => ({
  ...object(job, 'v1', 'Secret', `${job.metadata.name}-ssh`),
  type: 'kubernetes.io/ssh-auth',
  data: {
    'ssh-privatekey': Buffer.from(key.privateKey).toString('base64'),
    'ssh-publickey': Buffer.from(key.publicKey).toString('base64'),
  },
});

/** Mounts the key, and the hosts where they are wanted, and says which role this is. */
function prepared(job: KubeObject, template: any, spec: MpiSpec, role: 'launcher' | 'worker'): any {
  const pod = structuredClone(template?.spec ?? {});
  const [first] = pod.containers;
  const ssh = {
    name: SSH_VOLUME,
    secret: {
      secretName: `${job.metadata.name}-ssh`,
      defaultMode: 0o600,
      items: [
        { key: 'ssh-privatekey', path: 'id_rsa' },
        { key: 'ssh-publickey', path: 'id_rsa.pub' },
        { key: 'ssh-publickey', path: 'authorized_keys' },
      ],
    },
  };
  const hosts = {
    name: CONFIG_VOLUME,
    configMap: {
      name: `${job.metadata.name}-config`,
      items: [
        { key: 'hostfile', path: 'hostfile', mode: 0o444 },
        { key: 'discover_hosts.sh', path: 'discover_hosts.sh', mode: 0o555 },
      ],
    },
  };
  const launches = role === 'launcher';
  pod.volumes = [...(pod.volumes ?? []), ssh, ...(launches ? [hosts] : [])];
  first.volumeMounts = [
    ...(first.volumeMounts ?? []),
    { name: SSH_VOLUME, mountPath: spec.sshPath },
    ...(launches ? [{ name: CONFIG_VOLUME, mountPath: CONFIG_PATH }] : []),
  ];
  first.env = [
    ...(first.env ?? []),
    { name: 'K_MPI_JOB_ROLE', value: role },
    ...(launches
      ? [
          { name: 'OMPI_MCA_orte_keep_fqdn_hostnames', value: 'true' },
          { name: 'OMPI_MCA_orte_default_hostfile', value: `${CONFIG_PATH}/hostfile` },
          { name: 'OMPI_MCA_plm_rsh_args', value: '-o ConnectionAttempts=10' },
          { name: 'OMPI_MCA_orte_set_default_slots', value: String(spec.slots) },
          { name: 'NVIDIA_VISIBLE_DEVICES' },
          { name: 'NVIDIA_DRIVER_CAPABILITIES' },
        ]
      : []),
  ];
  return pod;
}

export function workerPodOf(job: KubeObject, spec: MpiSpec, index: number): KubeObject {
  const name = workerName(job, index);
  const { template = {}, restartPolicy = 'Never' } = spec.worker;
  const pod = prepared(job, template, spec, 'worker');
  const [first] = pod.containers;
  if (!first.command && !first.args) first.command = ['/usr/sbin/sshd', '-De'];
  const made = object(job, 'v1', 'Pod', name);
  const labels = {
    ...template.metadata?.labels,
    ...jobLabels(job, 'worker'),
    [`${LABEL}/replica-index`]: String(index),
  };
  return {
    ...made,
    metadata: { ...template.metadata, ...made.metadata, labels },
    spec: { ...pod, restartPolicy, hostname: name, subdomain: job.metadata.name },
  };
}

export function launcherJobOf(job: KubeObject, spec: MpiSpec): KubeObject {
  const { template = {}, restartPolicy = 'OnFailure' } = spec.launcher;
  const { backoffLimit, activeDeadlineSeconds, ttlSecondsAfterFinished } = spec.policy;
  const labels = { ...template.metadata?.labels, ...jobLabels(job, 'launcher') };
  return {
    ...object(job, 'batch/v1', 'Job', launcherName(job)),
    spec: {
      ...(backoffLimit !== undefined && { backoffLimit }),
      ...(activeDeadlineSeconds !== undefined && { activeDeadlineSeconds }),
      ...(ttlSecondsAfterFinished !== undefined && { ttlSecondsAfterFinished }),
      template: {
        metadata: { ...template.metadata, labels },
        spec: { ...prepared(job, template, spec, 'launcher'), restartPolicy },
      },
    },
  };
}
