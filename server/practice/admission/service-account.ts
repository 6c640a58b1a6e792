// Every pod runs under a service account of its namespace and gets its token, unless it says otherwise.

import type { KubeObject } from '../../kube/index.ts';
import { allContainers, concerns, PODS, refuse } from './requests.ts';
import type { AdmissionPlugin } from './types.ts';

const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const MIRROR = 'kubernetes.io/config.mirror';
const VOLUME_PREFIX = 'kube-api-access-';
/** Seconds. The odd value lets the server recognise the tokens it injects itself. */
const TOKEN_SECONDS = 3607;

function tokenVolume(name: string): Record<string, unknown> {
  return {
    name,
    projected: {
      defaultMode: 420,
      sources: [
        { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
        { configMap: { items: [{ key: 'ca.crt', path: 'ca.crt' }], name: 'kube-root-ca.crt' } },
        {
          downwardAPI: {
            items: [{ fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' }, path: 'namespace' }],
          },
        },
      ],
    },
  };
}

function mountToken(pod: KubeObject, randomText: (length: number) => string): void {
  const { spec } = pod;
  const existing = (spec.volumes ?? []).find((v: { name: string }) => v.name.startsWith(VOLUME_PREFIX));
  const name: string = existing?.name ?? VOLUME_PREFIX + randomText(5);
  let needed = false;
  for (const container of allContainers(spec)) {
    if (container.volumeMounts?.some(mount => mount.mountPath === MOUNT_PATH)) continue;
    container.volumeMounts = [
      ...(container.volumeMounts ?? []),
      { mountPath: MOUNT_PATH, name, readOnly: true },
    ];
    needed = true;
  }
  if (needed && !existing) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)];
}

export const serviceAccount: AdmissionPlugin = {
  name: 'ServiceAccount',
  mutate(request, context) {
    const { object: pod, namespace } = request;
    if (!concerns(request, PODS, 'CREATE') || !pod) return;
    const { spec } = pod;
    if (pod.metadata.annotations?.[MIRROR] !== undefined) {
      if (spec.serviceAccountName) throw refuse(request, 'a mirror pod may not reference service accounts');
      return;
    }
    const name: string = spec.serviceAccountName || 'default';
    spec.serviceAccountName = name;
    spec.serviceAccount = name;
    const account = context.read({ group: '', resource: 'serviceaccounts' }, namespace, name);
    if (!account) {
      throw refuse(
        request,
        `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`,
      );
    }
    const mounts = spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
    if (mounts) mountToken(pod, context.randomText);
    if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length) {
      spec.imagePullSecrets = account.imagePullSecrets.map((secret: { name: string }) => ({
        name: secret.name,
      }));
    }
  },
};
