// How connections find their way: pods, services by ready endpoints, node ports, names, and Go's words when they do not.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fakeClock } from '../../clock.ts';
import { seededRandom } from '../../random.ts';
import { type ByteStream, ClusterNetwork, requestHttp, serveHttp, streamPair } from './index.ts';

function network() {
  const clock = fakeClock();
  const net = new ClusterNetwork({ clock, random: seededRandom(1) });
  net.addNode('minikube', '192.168.49.2', '10.244.0');
  const service = (name: string, spec: any) =>
    net.directory.applyService(
      { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'life' }, spec },
      false,
    );
  const slice = (name: string, endpoints: any[], ports: any[]) =>
    net.directory.applySlice(
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: `${name}-x`, namespace: 'life', labels: { 'kubernetes.io/service-name': name } },
        endpoints,
        ports,
      },
      false,
    );
  return { clock, net, service, slice };
}

/** What arrives until the other side ends. */
function readAll(stream: ByteStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    stream.onData(chunk => {
      text += Buffer.from(chunk).toString('latin1');
    });
    stream.onEnd(() => resolve(text));
    stream.onClose(error => (error ? reject(error) : resolve(text)));
  });
}

const web = (net: ClusterNetwork, address: string, body: string) => {
  const place = net.attach(address);
  place.listen(80, stream =>
    serveHttp(
      stream,
      () => ({ status: 200, body }),
      () => 0,
    ),
  );
  return place;
};

describe('the network', () => {
  it('connects to a pod and refuses where nobody listens', async () => {
    const { net } = network();
    web(net, '10.244.0.5', 'hello');
    const answer = await requestHttp(await net.dial('10.244.0.5', 80), { path: '/' });
    assert.equal(Buffer.from(answer.body).toString(), 'hello');
    await assert.rejects(net.dial('10.244.0.5', 81), {
      message: 'dial tcp 10.244.0.5:81: connect: connection refused',
    });
  });

  it('sends a service to its ready endpoints only', async () => {
    const { net, service, slice } = network();
    web(net, '10.244.0.5', 'ready');
    web(net, '10.244.0.6', 'not ready');
    service('web', { clusterIP: '10.96.1.1', ports: [{ port: 8080, protocol: 'TCP' }] });
    await assert.rejects(
      net.dial('10.96.1.1', 8080),
      /dial tcp 10\.96\.1\.1:8080: connect: connection refused/,
    );
    slice(
      'web',
      [
        { addresses: ['10.244.0.5'], conditions: { ready: true } },
        { addresses: ['10.244.0.6'], conditions: { ready: false } },
      ],
      [{ name: '', port: 80, protocol: 'TCP' }],
    );
    for (let i = 0; i < 10; i++) {
      const answer = await requestHttp(await net.dial('10.96.1.1', 8080), { path: '/' });
      assert.equal(Buffer.from(answer.body).toString(), 'ready');
    }
  });

  it('answers node ports on the node', async () => {
    const { net, service, slice } = network();
    web(net, '10.244.0.5', 'np');
    service('np', { clusterIP: '10.96.1.2', ports: [{ port: 80, nodePort: 30129, protocol: 'TCP' }] });
    slice(
      'np',
      [{ addresses: ['10.244.0.5'], conditions: { ready: true } }],
      [{ name: '', port: 80, protocol: 'TCP' }],
    );
    const answer = await requestHttp(await net.dial('192.168.49.2', 30129), { path: '/' });
    assert.equal(answer.status, 200);
  });

  it('leads a published port of the node to its pod for as long as the pod is there', async () => {
    const { net } = network();
    const place = web(net, '10.244.0.5', 'mine');
    assert.deepEqual(net.openPorts('192.168.49.2'), []);
    place.publish('192.168.49.2', 8000, 80);
    place.publish('192.168.49.2', 8001, 81);
    assert.deepEqual(net.openPorts('192.168.49.2'), [8000]);
    const answer = await requestHttp(await net.dial('192.168.49.2', 8000), { path: '/' });
    assert.equal(Buffer.from(answer.body).toString(), 'mine');
    place.close();
    assert.deepEqual(net.openPorts('192.168.49.2'), []);
    await assert.rejects(net.dial('192.168.49.2', 8000), /connection refused/);
  });

  it('knows services, headless ones and pods by name', () => {
    const { net, service, slice } = network();
    service('web', { clusterIP: '10.96.1.1', ports: [{ port: 80 }] });
    service('db', { clusterIP: 'None', ports: [{ port: 3306 }] });
    service('away', { type: 'ExternalName', externalName: 'web.life.svc.cluster.local' });
    slice('db', [{ addresses: ['10.244.0.9'], hostname: 'db-0', conditions: { ready: true } }], []);
    assert.deepEqual(net.lookup('web', 'life'), ['10.96.1.1']);
    assert.deepEqual(net.lookup('web', 'other'), []);
    assert.deepEqual(net.lookup('web.life', 'other'), ['10.96.1.1']);
    assert.deepEqual(net.lookup('web.life.svc.cluster.local'), ['10.96.1.1']);
    assert.deepEqual(net.lookup('db.life', 'other'), ['10.244.0.9']);
    assert.deepEqual(net.lookup('db-0.db.life.svc.cluster.local'), ['10.244.0.9']);
    assert.deepEqual(net.lookup('db-1.db.life.svc.cluster.local'), []);
    assert.deepEqual(net.lookup('away.life', 'other'), ['10.96.1.1']);
    assert.deepEqual(net.lookup('10-244-0-9.life.pod.cluster.local'), ['10.244.0.9']);
  });

  it('words a name that does not exist as Go does, and waits for a DNS that is not there', async () => {
    const { clock, net } = network();
    await assert.rejects(net.dial('nope', 80), {
      message: 'dial tcp: lookup nope on 10.96.0.10:53: no such host',
    });
    const asked = net.dial('nope', 80, { namespace: 'life', podIP: '10.244.0.5' });
    asked.catch(() => undefined);
    await clock.advance(10_000);
    await assert.rejects(asked, { message: 'dial tcp: lookup nope on 10.96.0.10:53: i/o timeout' });
  });

  it('hands out pod addresses in turn', () => {
    const { clock } = network();
    const pool = new ClusterNetwork({ clock, random: seededRandom(1) }).addNode(
      'n',
      '192.168.49.9',
      '10.244.7',
    );
    const [first, next] = [pool.take()!, pool.take()!];
    assert.deepEqual([first, next], ['10.244.7.2', '10.244.7.3']);
    pool.release(first);
    assert.equal(pool.take(), '10.244.7.4', 'a freed address is not given at once');
    assert.equal(pool.claim('10.244.7.3'), false);
    assert.equal(pool.claim('10.244.7.2'), true);
  });
});

describe('a byte stream', () => {
  it('keeps order and ends both sides', async () => {
    const [a, b] = streamPair();
    a.write(Buffer.from('one '));
    a.write(Buffer.from('two'));
    a.end();
    assert.equal(await readAll(b), 'one two');
  });

  it('is reset when nobody reads what is written', async () => {
    const [a] = streamPair();
    const closed = new Promise<Error | undefined>(resolve => a.onClose(resolve));
    for (let i = 0; i < 10; i++) a.write(new Uint8Array(1024 * 1024));
    assert.equal((await closed)?.message, 'connection reset by peer');
  });
});

describe('HTTP over a stream', () => {
  const exchange = (text: string) => {
    const [client, server] = streamPair();
    serveHttp(
      server,
      request => ({ status: 200, body: `${request.method} ${request.path} ${request.body.length}` }),
      () => 0,
    );
    client.write(Buffer.from(text, 'latin1'));
    return readAll(client);
  };

  it('reads chunked bodies and several requests on one connection', async () => {
    const answer = await exchange(
      'POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET /b HTTP/1.1\r\nConnection: close\r\n\r\n',
    );
    assert.match(answer, /POST \/a 5HTTP\/1\.1 200 OK[\s\S]*GET \/b 0$/);
  });

  it('refuses what is not HTTP and headers without end', async () => {
    assert.match(await exchange('nonsense\r\n\r\n'), /^HTTP\/1\.1 400 Bad Request/);
    assert.match(await exchange(`GET / HTTP/1.1\r\nx: ${'a'.repeat(70_000)}`), /^HTTP\/1\.1 400 Bad Request/);
  });

  it('fails when the server closes before an answer', async () => {
    const [client, server] = streamPair();
    server.onData(() => server.end());
    await assert.rejects(requestHttp(client, { path: '/' }), { message: 'EOF' });
  });
});
