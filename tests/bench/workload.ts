// What programs do: a deployment from apply to an answer over HTTP, and how fast a log can be written and read.

import { get } from 'node:https';
import { parse } from 'yaml';
import { type Neighbour, runPod, shellPod, startNeighbours, until } from '../support/neighbours.ts';
import type { Measured } from './main.ts';

const FOLLOWED = 3000;
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const SERVICES = '/api/v1/namespaces/default/services';
const LABELS = { app: 'web' };
const DEPLOYMENT = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas: 3,
    selector: { matchLabels: LABELS },
    template: {
      metadata: { labels: LABELS },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'web', image: 'nginx:1.27', ports: [{ containerPort: 80 }] }],
      },
    },
  },
};
const SERVICE = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default' },
  spec: { selector: LABELS, ports: [{ port: 80 }] },
};
const LINE = 'all work and no play makes a long log';

export async function workload(runs: number): Promise<Measured[]> {
  const { all, close } = await startNeighbours(1, { filled: false });
  const [one] = all as [Neighbour];
  try {
    // The image is pulled once; that takes as long as the image is large and says nothing about the engine.
    await deployed(one);
    const serving: number[] = [];
    for (let run = 0; run < runs; run++) serving.push(await deployed(one));
    await runPod(one, shellPod('writer', `yes ${LINE}`));
    const lines = await followed(one, '/api/v1/namespaces/default/pods/writer/log?follow=true&tailLines=1');
    return [
      { name: '3 replicas, applied to Ready and serving', unit: 'ms', values: serving, budget: 3000 },
      { name: 'lines of a log, written and followed', unit: '/s', values: [lines], budget: 5000 },
    ];
  } finally {
    await close();
  }
}

async function deployed({ ask }: Neighbour): Promise<number> {
  const begun = performance.now();
  await ask('POST', SERVICES, SERVICE);
  await ask('POST', DEPLOYMENTS, DEPLOYMENT);
  await until(
    async () => (await ask('GET', `${DEPLOYMENTS}/web`)).status.readyReplicas === 3,
    60_000,
    POLL_MS,
  );
  await until(
    () =>
      ask('GET', `${SERVICES}/web/proxy/`).then(
        () => true,
        // What nginx says is no JSON; an error of the API is.
        error => error instanceof SyntaxError,
      ),
    10_000,
    POLL_MS,
  );
  const took = performance.now() - begun;
  await ask('DELETE', `${DEPLOYMENTS}/web?propagationPolicy=Foreground`);
  await ask('DELETE', `${SERVICES}/web`);
  const left = async () => (await ask('GET', '/api/v1/namespaces/default/pods')).items.length === 0;
  await until(left, 20_000, POLL_MS);
  return took;
}

const POLL_MS = 20;

/** Lines a second that arrive at a client that follows. */
function followed({ config }: Neighbour, path: string): Promise<number> {
  const { clusters, users } = parse(config);
  const pem = (text: string) => Buffer.from(text, 'base64');
  return new Promise((resolve, reject) => {
    const { user } = users[0];
    const options = {
      ca: pem(clusters[0].cluster['certificate-authority-data']),
      cert: pem(user['client-certificate-data']),
      key: pem(user['client-key-data']),
      agent: false as const,
    };
    const call = get(`${clusters[0].cluster.server}${path}`, options, answer => {
      let lines = 0;
      const begun = performance.now();
      answer.on('data', (chunk: Buffer) => {
        for (const byte of chunk) if (byte === 10) lines++;
      });
      setTimeout(() => {
        call.destroy();
        resolve((1000 * lines) / (performance.now() - begun));
      }, FOLLOWED);
    });
    call.once('error', reject);
  });
}
