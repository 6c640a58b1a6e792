// Every ready pod of the deployment stands behind the service, each once: what a partial object cannot say.

import type { Script } from '../../../server/check/index.ts';

const members: Script = async ({ list }) => {
  const pods = await list({ kind: 'Pod', namespace: 'shop', selector: { app: 'web' } });
  const ready = pods
    .filter(pod => !pod.metadata.deletionTimestamp && pod['status']?.podIP)
    .map(pod => pod['status'].podIP as string);
  const slices = await list({
    kind: 'EndpointSlice',
    apiVersion: 'discovery.k8s.io/v1',
    namespace: 'shop',
    selector: { 'kubernetes.io/service-name': 'web' },
  });
  const addresses = slices.flatMap(slice =>
    (slice['endpoints'] ?? []).flatMap((endpoint: { addresses: string[] }) => endpoint.addresses),
  );
  const missing = ready.filter(address => !addresses.includes(address));
  if (ready.length > 0 && missing.length === 0) return { state: 'holds' };
  return {
    state: 'wrong',
    said: {
      'zh-TW': `${ready.length} 個 Pod 裡有 ${missing.length} 個不在 Service 後面。`,
      en: `${missing.length} of ${ready.length} pods do not stand behind the Service.`,
    },
  };
};

export default members;
