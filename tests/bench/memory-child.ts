// The process that memory.ts measures: a server, and as many practice clusters as it is told to have.

import { setTimeout as sleep } from 'node:timers/promises';
import { startPracticeWorker } from '../../server/practice/index.ts';
import { startTestServer } from '../support/test-server.ts';

await startTestServer();
let running = 0;

process.on('message', async (message: { clusters: number; settle: number }) => {
  for (; running < message.clusters; running++) {
    await startPracticeWorker({
      nodes: [{ name: 'minikube', cpus: '2', memory: '4Gi' }],
      listen: { port: 0 },
    });
  }
  await sleep(message.settle);
  (globalThis as { gc?: () => void }).gc?.();
  process.send!(process.memoryUsage.rss() / 1024 / 1024);
});
