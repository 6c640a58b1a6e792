// Signs approved certificate requests for the signers of an ordinary cluster, and clears away old requests. Holds no key: the
// cluster lends it a signer.

import { type KubeObject, StatusError, timestamp } from '../../../kube/index.ts';
import { CERTIFICATE_SIGNING_REQUESTS } from '../resources.ts';
import type { Controller, ControllerContext } from '../types.ts';

const SIGNERS = new Set([
  'kubernetes.io/kube-apiserver-client',
  'kubernetes.io/kube-apiserver-client-kubelet',
  'kubernetes.io/kubelet-serving',
  'kubernetes.io/legacy-unknown',
]);
/** How long requests are kept after they were made or decided, in milliseconds; upstream's certificate cleaner. */
const KEPT = { pending: 86_400_000, decided: 3_600_000 };
/** Life of a certificate when the request names none, in seconds. */
const ONE_YEAR = 31_536_000;

export const certificateController: Controller = {
  name: 'certificate-controller',
  component: 'csrsigning-controller',
  watches: [{ resource: CERTIFICATE_SIGNING_REQUESTS }],
  async reconcile(name, context) {
    const request = context.cache(CERTIFICATE_SIGNING_REQUESTS).get(undefined, name);
    if (!request) return;
    const has = (type: string) =>
      (request['status']?.conditions ?? []).some((c: { type: string }) => c.type === type);
    if (await cleared(name, request, has('Approved') || has('Denied') || has('Failed'), context)) return;
    if (!has('Approved') || has('Denied') || has('Failed') || request['status']?.certificate) return;
    if (!context.sign || !SIGNERS.has(request['spec'].signerName)) return;
    await sign(request, context);
  },
};

async function cleared(
  name: string,
  request: KubeObject,
  decided: boolean,
  context: ControllerContext,
): Promise<boolean> {
  const end = Date.parse(request.metadata.creationTimestamp ?? '') + (decided ? KEPT.decided : KEPT.pending);
  const left = end - context.clock.now();
  if (left > 0) {
    context.requeueAfter(name, left);
    return false;
  }
  await context.client.delete(CERTIFICATE_SIGNING_REQUESTS, { name }).catch((error: unknown) => {
    if (!(error instanceof StatusError) || error.code !== 404) throw error;
  });
  return true;
}

async function sign(request: KubeObject, context: ControllerContext): Promise<void> {
  const { spec } = request;
  const status: Record<string, any> = { ...request['status'] };
  try {
    const usages = (spec.usages ?? []) as string[];
    const certificate = await context.sign?.({
      request: Buffer.from(spec.request, 'base64').toString(),
      usages: [
        ...(usages.includes('server auth') ? (['server'] as const) : []),
        ...(usages.includes('client auth') ? (['client'] as const) : []),
      ],
      lifetime: Math.min(spec.expirationSeconds ?? ONE_YEAR, ONE_YEAR) * 1000,
    });
    status['certificate'] = Buffer.from(certificate ?? '').toString('base64');
  } catch (error) {
    const at = timestamp(context.clock.now());
    const failed = {
      type: 'Failed',
      status: 'True',
      reason: 'SignerValidationFailure',
      message: (error as Error).message,
    };
    status['conditions'] = [
      ...(status['conditions'] ?? []),
      { ...failed, lastUpdateTime: at, lastTransitionTime: at },
    ];
  }
  await context.client.update(CERTIFICATE_SIGNING_REQUESTS, { ...request, status }, 'status');
}
