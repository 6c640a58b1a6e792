// The only door of the tools folder: small programs for the learner's shell in practice mode, as self-contained texts.

import { readFileSync } from 'node:fs';
import { ADDONS, METRICS_SERVER } from './addons.ts';

export interface PracticeTool {
  name: string;
  /** The whole executable file: a shell line that hands over to Node ($KBD_NODE), then JavaScript. */
  text: string;
}

/** Read by sh as a command, by JavaScript as a string and a comment. */
const HEAD = `#!/bin/sh\n":" //; exec "\${KBD_NODE:-node}" "$0" "$@"\n`;

const source = (name: string) => readFileSync(new URL(`./${name}.js`, import.meta.url), 'utf8');

/** To be written, mode 0755, into a folder on the shell's PATH. They need kubectl with a kubeconfig, and Node 22 or newer. */
export function practiceTools(): PracticeTool[] {
  const minikube = source('minikube')
    .replace('__ADDONS__', JSON.stringify(ADDONS))
    .replace('__METRICS_SERVER__', JSON.stringify(METRICS_SERVER));
  return [
    { name: 'minikube', text: HEAD + minikube },
    { name: 'docker', text: HEAD + source('docker') },
  ];
}
