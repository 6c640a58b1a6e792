// Calico: the network plugin that enforces policies. Its node agent does so while it runs in the host's network; what it
// installs on the way is done at once. Knows no policy.

import { untilAborted } from './signals.ts';
import type { Container, Program } from './types.ts';

const stamp = (container: Container) =>
  new Date(container.clock.now()).toISOString().replace('T', ' ').slice(0, 23);

async function runNode(container: Container): Promise<number> {
  container.use({ cpuMillis: 25, memoryBytes: 90 * 1024 * 1024 });
  const line = (level: string, text: string) => container.log(`${stamp(container)} [${level}][1] ${text}`);
  if (!container.host) {
    line('ERROR', 'felix/daemon.go: no access to the network of the host: hostNetwork is needed');
    return 1;
  }
  const release = container.host.enforcePolicies();
  line('INFO', 'felix/int_dataplane.go: Completed first update to dataplane.');
  await untilAborted(container.signal);
  release();
  return container.signal.reason === 'SIGTERM' ? 0 : 137;
}

/** Copies binaries and configuration to the node, or moves addresses of old releases: nothing is left to do here. */
async function runOnce(container: Container): Promise<number> {
  container.log(`${stamp(container)} [INFO][1] cni-installer/install.go: Done configuring CNI.`);
  return 0;
}

const from = (registry: string): Program[] => [
  { image: `${registry}/calico/node`, config: { cmd: ['start_runit'] }, run: runNode },
  { image: `${registry}/calico/cni`, config: { cmd: ['/opt/cni/bin/install'] }, run: runOnce },
];

export const calico: readonly Program[] = [...from('docker.io'), ...from('quay.io')];
