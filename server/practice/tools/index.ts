// The only door of the tools folder: small programs for the learner's shell in practice mode, as self-contained texts.

import { readFileSync } from 'node:fs';
import { ADDONS, METRICS_SERVER } from './addons.ts';
import { INGRESS, INGRESS_IMAGES } from './ingress-addon.ts';

export interface PracticeTool {
  name: string;
  /** The whole executable file: a shell line that hands over to Node ($KBD_NODE), then JavaScript. */
  text: string;
}

/** Read by sh as a command, by JavaScript as a string and a comment. */
const HEAD = `#!/bin/sh\n":" //; exec "\${KBD_NODE:-node}" "$0" "$@"\n`;

const source = (name: string) => readFileSync(new URL(`./${name}.js`, import.meta.url), 'utf8');

/** What enabling an add-on applies, with the images that minikube names and the rollout it waits for. */
const INSTALLED = {
  'metrics-server': {
    images: ['registry.k8s.io/metrics-server/metrics-server:v0.8.1'],
    workload: ['kube-system', 'metrics-server'],
    items: METRICS_SERVER,
  },
  ingress: {
    images: INGRESS_IMAGES,
    workload: ['ingress-nginx', 'ingress-nginx-controller'],
    verified: 'app.kubernetes.io/name=ingress-nginx',
    items: INGRESS,
  },
};

/** To be written, mode 0755, into a folder on the shell's PATH. They need kubectl with a kubeconfig, and Node 22 or newer. */
export function practiceTools(): PracticeTool[] {
  const minikube = source('minikube')
    .replace('__ADDONS__', JSON.stringify(ADDONS))
    .replace('__INSTALLED__', JSON.stringify(INSTALLED));
  return [
    { name: 'minikube', text: HEAD + minikube },
    { name: 'docker', text: HEAD + source('docker') },
  ];
}
