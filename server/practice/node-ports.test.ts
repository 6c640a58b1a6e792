// Node ports on loopback: open while their service is there.

import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient, WatchEvent } from '../kube/index.ts';
import { type Network, streamPair } from './network/index.ts';
import { openNodePorts } from './node-ports.ts';

const say = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', chunk => {
      text += chunk;
    });
    socket.on('end', () => resolve(text)).on('error', reject);
    socket.end('ping');
  });

/** A port nobody has; taken again at once by whoever asked. */
const freePort = (): Promise<number> =>
  new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

test('a node port answers on loopback until its service goes', async t => {
  let tell: (event: WatchEvent) => void = () => {};
  const client = {
    watch(_resource: unknown, _options: unknown, onEvent: typeof tell) {
      tell = onEvent;
      return { stop() {} };
    },
  } as unknown as ApiClient;
  const network: Network = {
    lookup: () => [],
    async dial(host, port) {
      const [near, far] = streamPair();
      far.onData(chunk => far.write(Buffer.from(`${host}:${port} heard ${Buffer.from(chunk)}`)));
      far.onEnd(() => far.end());
      return near;
    },
  };
  const opened = openNodePorts({ client, network, nodeAddress: '192.168.49.2' });
  t.after(() => opened.stop());
  const nodePort = await freePort();
  const object = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default' },
    spec: { ports: [{ port: 80, nodePort, protocol: 'TCP' }] },
  };
  tell({ type: 'ADDED', object });
  await sleep(50);
  assert.equal(await say(nodePort), `192.168.49.2:${nodePort} heard ping`);
  tell({ type: 'DELETED', object });
  await sleep(50);
  await assert.rejects(say(nodePort), { code: 'ECONNREFUSED' });
});
