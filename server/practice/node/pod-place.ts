// Gives a pod its place in the cluster's network: an address and the ports that its node opens for it. Knows no containers.

import type { KubeObject } from '../../kube/index.ts';
import type { Attachment } from '../network/index.ts';
import type { PodHost } from './pod-host.ts';

/** What the kubelet runs by a file of its own; the API only shows it. */
export const isMirror = (pod: KubeObject): boolean =>
  pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined;

/** `adopted` is the address it had before, which it gets again if it is free. */
export function attachPod(host: PodHost, pod: KubeObject, adopted: string | undefined): Attachment {
  const { network, hostIP, addresses } = host;
  let address = hostIP;
  if (!pod['spec'].hostNetwork)
    address = adopted && addresses.claim(adopted) ? adopted : (addresses.take() ?? hostIP);
  // What the node runs of itself listens with TLS or on its loopback; here it is plain and only for the cluster's parts.
  const exposed = address === hostIP && !isMirror(pod);
  const attachment = network.attach(address, () => address !== hostIP && addresses.release(address), exposed);
  if (address !== hostIP) publishPorts(attachment, pod, hostIP);
  return attachment;
}

/** What the node's network plugin does for each hostPort; a pod in the node's network has them anyway. */
function publishPorts(attachment: Attachment, pod: KubeObject, hostIP: string): void {
  const { containers = [], initContainers = [] } = pod['spec'];
  for (const container of [...containers, ...initContainers])
    for (const { hostPort, hostIP: only, containerPort, protocol = 'TCP' } of container.ports ?? [])
      if (hostPort && protocol === 'TCP' && ['', '0.0.0.0', hostIP].includes(only ?? ''))
        attachment.publish(hostIP, hostPort, containerPort);
}
