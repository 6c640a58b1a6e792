// Claims get the default class and, like volumes, a finalizer that keeps them while they are used; ingresses their class.

import type { KubeObject } from '../../kube/index.ts';
import { CLAIMS, concerns, refuse } from './requests.ts';
import type { AdmissionContext, AdmissionPlugin } from './types.ts';

const VOLUMES = { group: '', resource: 'persistentvolumes' };
const STORAGE_CLASSES = { group: 'storage.k8s.io', resource: 'storageclasses' };
const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';
const DEFAULT_CLASS_BETA = 'storageclass.beta.kubernetes.io/is-default-class';
const OLD_CLASS = 'volume.beta.kubernetes.io/storage-class';
const INGRESSES = { group: 'networking.k8s.io', resource: 'ingresses' };
const INGRESS_CLASSES = { group: 'networking.k8s.io', resource: 'ingressclasses' };
const DEFAULT_INGRESS_CLASS = 'ingressclass.kubernetes.io/is-default-class';
const OLD_INGRESS_CLASS = 'kubernetes.io/ingress.class';

/** The newest wins, then the first by name. */
function newest(classes: KubeObject[]): KubeObject | undefined {
  return classes.sort(
    (a, b) =>
      (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? '') ||
      a.metadata.name.localeCompare(b.metadata.name),
  )[0];
}

function defaultStorageClassOf(context: Pick<AdmissionContext, 'listAll'>): KubeObject | undefined {
  return newest(
    context
      .listAll(STORAGE_CLASSES)
      .filter(({ metadata: { annotations = {} } }) =>
        [DEFAULT_CLASS, DEFAULT_CLASS_BETA].some(key => annotations[key] === 'true'),
      ),
  );
}

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  mutate(request) {
    const { object } = request;
    if (!object) return;
    const finalizer = concerns(request, CLAIMS, 'CREATE')
      ? 'kubernetes.io/pvc-protection'
      : concerns(request, VOLUMES, 'CREATE')
        ? 'kubernetes.io/pv-protection'
        : undefined;
    if (!finalizer || object.metadata.finalizers?.includes(finalizer)) return;
    object.metadata.finalizers = [...(object.metadata.finalizers ?? []), finalizer];
  },
};

export const defaultStorageClass: AdmissionPlugin = {
  name: 'DefaultStorageClass',
  mutate(request, context) {
    const { object: claim } = request;
    if (!concerns(request, CLAIMS, 'CREATE') || !claim) return;
    if (claim.spec.storageClassName !== undefined || claim.metadata.annotations?.[OLD_CLASS] !== undefined)
      return;
    const found = defaultStorageClassOf(context);
    if (found) claim.spec.storageClassName = found.metadata.name;
  },
};

export const defaultIngressClass: AdmissionPlugin = {
  name: 'DefaultIngressClass',
  mutate(request, context) {
    const { object: ingress } = request;
    if (!concerns(request, INGRESSES, 'CREATE') || !ingress) return;
    if (ingress.spec?.ingressClassName !== undefined) return;
    if (ingress.metadata.annotations?.[OLD_INGRESS_CLASS] !== undefined) return;
    const found = newest(
      context
        .listAll(INGRESS_CLASSES)
        .filter(({ metadata }) => metadata.annotations?.[DEFAULT_INGRESS_CLASS] === 'true'),
    );
    if (found) ingress.spec = { ...ingress.spec, ingressClassName: found.metadata.name };
  },
};

/** A claim may only grow, and only where its class allows it. */
export const persistentVolumeClaimResize: AdmissionPlugin = {
  name: 'PersistentVolumeClaimResize',
  validate(request, context) {
    const { object, old } = request;
    if (!concerns(request, CLAIMS, 'UPDATE') || !object || !old) return;
    const before = old.spec?.resources?.requests?.storage;
    const after = object.spec?.resources?.requests?.storage;
    if (before === after || before === undefined) return;
    if (old.status?.phase !== 'Bound')
      throw refuse(request, 'Only bound persistent volume claims can be expanded');
    const className = object.spec.storageClassName;
    const found = className ? context.read(STORAGE_CLASSES, undefined, className) : undefined;
    if (found?.allowVolumeExpansion === true) return;
    throw refuse(
      request,
      'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    );
  },
};
