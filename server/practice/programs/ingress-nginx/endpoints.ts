// The addresses behind an upstream. Pure.

import type { KubeObject } from '../../../kube/index.ts';
import { missing } from './log.ts';
import type { Upstream } from './routes.ts';

export interface Endpoint {
  address: string;
  port: number;
}

interface SlicePort {
  name?: string;
  port?: number;
  protocol?: string;
}

/** `warning` is what the controller says when there are none. */
export function endpointsOf(
  upstream: Upstream,
  service: KubeObject | undefined,
  slices: readonly KubeObject[],
): { endpoints: Endpoint[]; warning?: { place: string; text: string } } {
  const key = JSON.stringify(`${upstream.namespace}/${upstream.service}`);
  if (!service)
    return {
      endpoints: [],
      warning: {
        place: 'controller.go:1135',
        text: `Error obtaining Endpoints for Service ${key}: ${missing(`${upstream.namespace}/${upstream.service}`)}`,
      },
    };
  const { ports = [], type, externalName } = service['spec'];
  const port = ports.find((candidate: { port: number; targetPort?: number | string; name?: string }) =>
    [candidate.port, candidate.targetPort, candidate.name].map(String).includes(upstream.port),
  );
  const endpoints: Endpoint[] = [];
  if (type === 'ExternalName') {
    const number = port ? Number(port.targetPort ?? port.port) : Number(upstream.port);
    if (number > 0) endpoints.push({ address: externalName, port: number });
  } else if (port)
    for (const slice of slices) {
      if (slice.metadata.namespace !== upstream.namespace) continue;
      if (slice.metadata.labels?.['kubernetes.io/service-name'] !== upstream.service) continue;
      const own = (slice['ports'] ?? []).find(
        ({ name = '', protocol = 'TCP' }: SlicePort) => name === (port.name ?? '') && protocol === 'TCP',
      );
      for (const { addresses, conditions } of slice['endpoints'] ?? [])
        if (own && conditions?.ready !== false)
          for (const address of addresses) endpoints.push({ address, port: own.port });
    }
  if (endpoints.length > 0) return { endpoints };
  const text = `Service ${key} does not have any active Endpoint.`;
  return { endpoints, warning: { place: 'controller.go:1241', text } };
}
