// What a pod's containers may reach on their node: config maps, secrets, tokens, volumes, services and the API under the
// pod's own service account. Knows no container states.

import { type ApiClient, type GroupVersionResource, type KubeObject, StatusError } from '../../kube/index.ts';
import { type DirNode, directory, type FileNode } from '../programs/index.ts';
import { swapFiles } from './atomic-files.ts';
import { CacheNotSynced, ConfigError, type EnvSources } from './env.ts';
import type { PodHost } from './pod-host.ts';
import { type Entry, loginsIn } from './pull-secrets.ts';
import { CLAIMS, CONFIG_MAPS, SECRETS, SERVICE_ACCOUNTS, VOLUMES } from './resources.ts';
import { buildVolume, isRefreshed, MountError, type VolumeSources } from './volumes.ts';

/** How long a pod's start waits for the kubelet's copy, and how soon a failed list is tried again. Milliseconds. */
const CACHE_WAIT_MS = 1_000;
const LIST_RETRY_MS = 800;

export class PodWorld {
  private readonly host: PodHost;
  private readonly pod: () => KubeObject;
  private readonly podIP: () => string | undefined;
  private api: ApiClient | undefined;

  constructor(host: PodHost, pod: () => KubeObject, podIP: () => string | undefined) {
    this.host = host;
    this.pod = pod;
    this.podIP = podIP;
  }

  /** The API as the pod's service account; undefined when no token is mounted. */
  apiClient(): ApiClient | undefined {
    const pod = this.pod();
    if (pod['spec'].automountServiceAccountToken === false) return undefined;
    const namespace = pod.metadata.namespace!;
    const account = pod['spec'].serviceAccountName ?? 'default';
    this.api ??= this.host.clientFor({
      name: `system:serviceaccount:${namespace}:${account}`,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    });
    return this.api;
  }

  private async read(
    resource: GroupVersionResource,
    name: string,
    namespaced = true,
  ): Promise<KubeObject | undefined> {
    try {
      const namespace = this.pod().metadata.namespace;
      return await this.host.client.get(resource, namespaced ? { namespace, name } : { name });
    } catch (error) {
      if (error instanceof StatusError && error.code === 404) return undefined;
      throw error;
    }
  }

  /** A config map or secret as upstream's kubelet gets it: by listing it under its name, with a second's patience. */
  private async cached(kind: 'configmap' | 'secret', name: string): Promise<KubeObject | undefined> {
    const resource = kind === 'configmap' ? CONFIG_MAPS : SECRETS;
    const options = { namespace: this.pod().metadata.namespace!, fieldSelector: `metadata.name=${name}` };
    const end = this.host.clock.now() + CACHE_WAIT_MS;
    for (;;) {
      try {
        return (await this.host.client.list(resource, options)).items[0];
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        if (this.host.clock.now() >= end) throw new CacheNotSynced(kind);
      }
      await this.host.clock.sleep(Math.max(1, Math.min(LIST_RETRY_MS, end - this.host.clock.now())));
    }
  }

  /** The logins in the pod's imagePullSecrets; those that are missing are told of, and the pull goes on without. */
  async pullSecrets(): Promise<Entry[]> {
    const names: string[] = (this.pod()['spec'].imagePullSecrets ?? []).map((s: any) => s.name);
    const found = await Promise.all(names.map(name => this.read(SECRETS, name)));
    const missing = names.filter((_, i) => !found[i]);
    if (missing.length > 0)
      this.host.events.record(
        this.pod(),
        'Warning',
        'FailedToRetrieveImagePullSecret',
        `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`,
      );
    return found.flatMap(secret => (secret ? loginsIn(secret) : []));
  }

  envSources(): EnvSources {
    return {
      configMap: name => this.cached('configmap', name),
      secret: name => this.cached('secret', name),
      services: () => this.host.services(),
      podIP: this.podIP() ?? '',
      hostIP: this.host.hostIP,
      allocatable: this.host.allocatable,
    };
  }

  private volumeSources(): VolumeSources {
    return {
      ...this.envSources(),
      token: request => this.token(request),
      claim: name => this.read(CLAIMS, name),
      persistentVolume: name => this.read(VOLUMES, name, false),
      hostDirectory: (path, create) => this.host.hostDirectory(path, create),
      now: this.host.clock.now(),
    };
  }

  private async token(request: { audience?: string; expirationSeconds?: number }): Promise<string> {
    const pod = this.pod();
    const account = pod['spec'].serviceAccountName ?? 'default';
    const namespace = pod.metadata.namespace!;
    try {
      const answer = await this.host.client.create(
        SERVICE_ACCOUNTS,
        {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          metadata: { name: account, namespace },
          spec: {
            audiences: request.audience ? [request.audience] : [],
            expirationSeconds: request.expirationSeconds ?? 3600,
            boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: pod.metadata.name, uid: pod.metadata.uid },
          },
        },
        { of: { namespace, name: account }, name: 'token' },
      );
      return answer['status']?.token ?? '';
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      throw new MountError(`failed to fetch token: ${text}`);
    }
  }

  /** All volumes of the pod; rejects with a MountError whose message is the whole event text. */
  async buildVolumes(): Promise<Map<string, DirNode | FileNode>> {
    const built = new Map<string, DirNode | FileNode>();
    for (const volume of this.pod()['spec'].volumes ?? []) {
      try {
        built.set(volume.name, await buildVolume(volume, this.pod(), this.volumeSources()));
      } catch (error) {
        if (!(error instanceof MountError) && !(error instanceof ConfigError)) throw error;
        throw new MountError(`MountVolume.SetUp failed for volume "${volume.name}" : ${error.message}`);
      }
    }
    return built;
  }

  refreshes(): boolean {
    return (this.pod()['spec'].volumes ?? []).some((v: any) => isRefreshed(v) && !isTokenOnly(v));
  }

  /** Brings config map, secret and downward API files up to date; what cannot be read now stays as it was. */
  async refreshVolumes(volumes: Map<string, DirNode | FileNode>): Promise<void> {
    for (const volume of this.pod()['spec'].volumes ?? []) {
      if (!isRefreshed(volume) || isTokenOnly(volume)) continue;
      const old = volumes.get(volume.name);
      if (old?.kind !== 'dir') continue;
      try {
        const fresh = await buildVolume(volume, this.pod(), this.volumeSources());
        if (fresh.kind === 'dir') swapFiles(old, fresh);
      } catch (error) {
        if (
          !(error instanceof MountError) &&
          !(error instanceof ConfigError) &&
          !(error instanceof StatusError)
        )
          throw error;
      }
    }
  }

  emptyDirectory(): DirNode {
    return directory(this.host.clock.now(), 0o777);
  }
}

/** The service account volume of every pod: its token outlives any lesson, so it is not read again. */
const isTokenOnly = (volume: any) =>
  volume.projected?.sources?.some((s: any) => s.serviceAccountToken) ?? false;
