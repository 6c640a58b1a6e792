import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { listensHere, listensInside } from './listens.ts';

test('a port is listened on while somebody does, who is not asked', async () => {
  let asked = 0;
  const server = createServer(() => asked++).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const inside = process.platform === 'linux' ? [(at: number) => listensInside(process.pid, at)] : [];
  for (const listens of [listensHere, ...inside]) assert.equal(await listens(port), true);
  assert.equal(asked, 0);
  server.close();
  await once(server, 'close');
  for (const listens of [listensHere, ...inside]) assert.equal(await listens(port), false);
});
