import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SpdyStream, spdyConnection } from './spdy.ts';

/** A zlib stream of stored blocks, as a client may send it: no dictionary needed to write one. */
function headerBlock(headers: Record<string, string>, first: boolean): Buffer {
  const word = (value: number) => {
    const buffer = Buffer.alloc(4);
    buffer.writeUInt32BE(value);
    return buffer;
  };
  const pairs = Object.entries(headers).flatMap(([name, value]) => [
    word(name.length),
    Buffer.from(name),
    word(value.length),
    Buffer.from(value),
  ]);
  const body = Buffer.concat([word(Object.keys(headers).length), ...pairs]);
  const length = Buffer.alloc(5);
  length.writeUInt16LE(body.length, 1);
  length.writeUInt16LE(~body.length & 0xffff, 3);
  return Buffer.concat([first ? Buffer.from([0x78, 0x01]) : Buffer.alloc(0), length, body]);
}

function control(type: number, payload: Buffer, flags = 0): Buffer {
  const head = Buffer.from([0x80, 3, 0, type, flags, 0, 0, 0]);
  head.writeUIntBE(payload.length, 5, 3);
  return Buffer.concat([head, payload]);
}

function synStream(id: number, headers: Record<string, string>, first: boolean): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt32BE(id, 0);
  return control(1, Buffer.concat([head, headerBlock(headers, first)]));
}

function data(id: number, text: string, fin = false): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(id, 0);
  head.writeUInt32BE(((fin ? 1 : 0) << 24) | text.length, 4);
  return Buffer.concat([head, Buffer.from(text)]);
}

function server() {
  const streams: SpdyStream[] = [];
  const sent: Buffer[] = [];
  const failures: string[] = [];
  const received: Record<number, string> = {};
  const ended: number[] = [];
  const connection = spdyConnection(
    frame => sent.push(frame),
    stream => {
      streams.push(stream);
      received[stream.id] = '';
      stream.onData(chunk => {
        received[stream.id] += chunk.toString();
      });
      stream.onEnd(() => ended.push(stream.id));
    },
    reason => failures.push(reason),
  );
  /** Headers inflate on another thread: waits until `condition` holds, or long enough to say that it never does. */
  const settle = async (condition = () => ended.length > 0) => {
    for (let i = 0; i < 500 && !condition(); i++) await new Promise(resolve => setTimeout(resolve, 10));
  };
  return { connection, streams, sent, failures, received, ended, settle };
}

const conversation = Buffer.concat([
  synStream(1, { streamType: 'error', port: '80' }, true),
  synStream(3, { streamtype: 'data', port: '80' }, false),
  data(3, 'hello '),
  data(3, 'world', true),
]);

test('streams, headers and data come through in order', async () => {
  const { connection, streams, received, ended, sent, settle } = server();
  connection.receive(conversation);
  await settle();
  assert.deepEqual(
    streams.map(stream => stream.headers),
    [
      { streamtype: 'error', port: '80' },
      { streamtype: 'data', port: '80' },
    ],
  );
  assert.equal(received[3], 'hello world');
  assert.deepEqual(ended, [3]);
  assert.deepEqual(
    sent.map(frame => frame.readUInt16BE(2)),
    [2, 2],
    'each SYN_STREAM gets its SYN_REPLY',
  );
});

test('frames may be cut anywhere', async () => {
  const { connection, received, ended, failures, settle } = server();
  for (const byte of conversation) connection.receive(Buffer.from([byte]));
  await settle();
  assert.deepEqual(failures, []);
  assert.equal(received[3], 'hello world');
  assert.deepEqual(ended, [3]);
});

test('what the server writes is framed and half-closed', async () => {
  const { connection, streams, sent, settle } = server();
  connection.receive(conversation);
  await settle();
  sent.length = 0;
  streams[1]?.write(Buffer.from('answer'));
  streams[1]?.end();
  streams[1]?.write(Buffer.from('too late'));
  assert.deepEqual(sent, [data(3, 'answer'), data(3, '', true)]);
});

test('a ping is answered with the same number', async () => {
  const { connection, sent, settle } = server();
  connection.receive(control(6, Buffer.from([0, 0, 0, 7])));
  await settle(() => sent.length > 0);
  assert.deepEqual(sent, [control(6, Buffer.from([0, 0, 0, 7]))]);
});

test('headers that do not inflate end the connection, and only this one', async () => {
  const broken = server();
  const head = Buffer.alloc(10);
  head.writeUInt32BE(1, 0);
  broken.connection.receive(control(1, Buffer.concat([head, Buffer.from('not zlib')])));
  await broken.settle(() => broken.failures.length > 0);
  assert.equal(broken.failures.length, 1);
  assert.equal(broken.streams.length, 0);
  broken.connection.receive(conversation);
  await new Promise(resolve => setTimeout(resolve, 50));
  assert.equal(broken.streams.length, 0);
});

test('a frame larger than any client sends ends the connection', async () => {
  const { connection, failures } = server();
  connection.receive(Buffer.from([0, 0, 0, 1, 0, 0xff, 0xff, 0xff]));
  assert.deepEqual(failures, ['a frame is too large']);
});
