// From the call that starts a practice cluster to its first answer over TLS.

import { startPracticeWorker } from '../../server/practice/index.ts';
import { apiRequest } from '../support/api-request.ts';
import type { Measured } from './main.ts';

const NODES = [{ name: 'minikube', cpus: '2', memory: '4Gi' }];

export async function boot(runs: number): Promise<Measured[]> {
  const values: number[] = [];
  for (let run = 0; run < runs; run++) {
    const begun = performance.now();
    const cluster = await startPracticeWorker({ nodes: NODES, listen: { port: 0 } });
    await apiRequest(cluster.kubeconfig(`https://127.0.0.1:${cluster.port}`), 'GET', '/api/v1/namespaces');
    values.push(performance.now() - begun);
    await cluster.close();
  }
  return [{ name: 'practice cluster: start to first answer', unit: 'ms', values, budget: 150 }];
}
