// How a pod's worker writes to the API: its status, when it differs, and its end. Knows no containers.

import { type ApiClient, type KubeObject, StatusError } from '../../kube/index.ts';
import { PODS } from './resources.ts';

const ATTEMPTS = 5;

interface Writer {
  pod(): KubeObject;
  /** Computed anew for each attempt. */
  status(): Record<string, any>;
  /** Nothing is to be written any more. */
  over(): boolean;
  /** The API's newest view of the pod. */
  took(pod: KubeObject): void;
}

/** Writes the status unless the API holds it; after a conflict again, on top of what is there. */
export async function writePodStatus(client: ApiClient, writer: Writer): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const pod = writer.pod();
    const status = writer.status();
    if (same(status, pod['status'])) return;
    try {
      const written = await client.update(PODS, { ...pod, status }, 'status');
      if (written.metadata.uid === pod.metadata.uid) writer.took(written);
      return;
    } catch (error) {
      if (!(error instanceof StatusError) || (error.code !== 409 && error.code !== 404)) throw error;
      if (error.code === 404 || writer.over()) return;
      const { namespace = '', name } = pod.metadata;
      const latest = await client.get(PODS, { namespace, name }).catch(() => undefined);
      if (!latest || latest.metadata.uid !== pod.metadata.uid) return;
      writer.took(latest);
    }
  }
}

/** The pod is at its end here: its object goes, unless it is gone or another's already. */
export async function removePod(client: ApiClient, { metadata }: KubeObject): Promise<void> {
  const { namespace = '', name, uid } = metadata;
  try {
    await client.delete(PODS, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid: uid! } });
  } catch (error) {
    if (!(error instanceof StatusError) || (error.code !== 404 && error.code !== 409)) throw error;
  }
}

function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = Object.entries(a).filter(([, v]) => v !== undefined);
  const right = Object.entries(b).filter(([, v]) => v !== undefined);
  return left.length === right.length && left.every(([key, value]) => same(value, (b as any)[key]));
}
