// The only door of the node folder: the nodes of a cluster, each with its kubelet.

import { ClusterNetwork } from '../network/index.ts';
import { Kubelet } from './kubelet.ts';
import { kubeletApi } from './kubelet-api.ts';
import { Registries } from './registries.ts';
import type { ClusterNodes, NodeServices } from './types.ts';

export { installMinikube } from './minikube.ts';
export type { ClusterNodes } from './types.ts';

/** Nodes that are not registered yet; `start` does that. */
export function createNodes(services: NodeServices): ClusterNodes {
  const network = new ClusterNetwork({
    clock: services.clock,
    random: services.random,
    networkPolicy: services.networkPolicy === true,
  });
  network.directory.addHost('host.minikube.internal', '192.168.49.1');
  const registries = new Registries(services.clock, services.pullLimit);
  const kubelets = services.nodes.map(
    (options, index) => new Kubelet(options, index, services, network, registries),
  );
  const proxy = services.clientFor({
    name: 'system:kube-proxy',
    groups: ['system:node-proxier', 'system:authenticated'],
  });
  const find = (namespace: string, name: string) => {
    for (const kubelet of kubelets) {
      const worker = kubelet.find(namespace, name);
      if (worker) return worker;
    }
    return undefined;
  };
  return {
    kubelet: kubeletApi(find, network),
    network,
    async start() {
      network.start(proxy);
      await Promise.all(kubelets.map((kubelet, index) => kubelet.start(index === 0)));
    },
    async stop() {
      for (const kubelet of kubelets) kubelet.stop();
      network.stop();
    },
    images: node => kubelets.find(k => k.name === node)?.images,
    usage() {
      const nodes = [];
      const pods = [];
      for (const kubelet of kubelets) {
        const report = kubelet.usage();
        nodes.push({ name: kubelet.name, usage: report.node });
        for (const { worker, containers } of report.pods)
          pods.push({ namespace: worker.namespace, name: worker.name, containers });
      }
      return { nodes, pods };
    },
    snapshot: () => kubelets.map(kubelet => kubelet.snapshot()),
    suspend() {
      for (const kubelet of kubelets) kubelet.suspend();
    },
    async restore(snapshot) {
      const parts = snapshot as ReturnType<Kubelet['snapshot']>[] | undefined;
      for (const [index, kubelet] of kubelets.entries()) {
        const part = parts?.[index];
        if (part) kubelet.restore(part);
        kubelet.resume();
      }
    },
  };
}
