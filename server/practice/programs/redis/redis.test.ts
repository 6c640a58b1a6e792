// Redis as redis-cli sees it, on a fake clock.

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { testNode } from '../../node/test-node.ts';

async function server(t: TestContext, args: string[] = []) {
  const node = await testNode(t);
  await node.run('db', {
    containers: [{ name: 'c', image: 'redis:7', ...(args.length > 0 ? { args } : {}) }],
  });
  await node.pass(4_000);
  const cli = (...words: string[]) => node.exec('db', ['redis-cli', ...words]);
  return { ...node, cli };
}

describe('redis', () => {
  it('keeps what it is given, and forgets it when its time is over', async t => {
    const { cli, pass } = await server(t);
    assert.deepEqual(await cli('ping'), { code: 0, out: 'PONG\n', err: '' });
    assert.equal((await cli('set', 'a', 'one two', 'EX', '10')).out, 'OK\n');
    assert.equal((await cli('get', 'a')).out, 'one two\n');
    assert.equal((await cli('incr', 'n')).out, '1\n');
    assert.equal((await cli('rpush', 'l', 'x', 'y')).out, '2\n');
    assert.equal((await cli('lrange', 'l', '0', '-1')).out, 'x\ny\n');
    await pass(11_000);
    assert.equal((await cli('get', 'a')).out, '\n');
    assert.equal((await cli('keys', '*')).out, 'n\nl\n');
  });

  it('refuses in its own words', async t => {
    const { cli } = await server(t);
    assert.match(
      (await cli('nope', 'b')).out,
      /^ERR unknown command 'nope', with args beginning with: 'b' \n/,
    );
    assert.match((await cli('get')).out, /^ERR wrong number of arguments for 'get' command\n/);
    assert.deepEqual(await cli('-p', '1', 'ping'), {
      code: 1,
      out: '',
      err: 'Could not connect to Redis at 127.0.0.1:1: Connection refused\n',
    });
  });

  it('asks for the password of its configuration', async t => {
    const { cli } = await server(t, ['--requirepass', 'secret']);
    assert.match((await cli('ping')).out, /^NOAUTH Authentication required\.\n/);
    assert.equal((await cli('-a', 'secret', 'ping')).out, 'PONG\n');
  });

  it('names the kinds of replies at its prompt', async t => {
    const { exec } = await server(t);
    const { code, out } = await exec(
      'db',
      ['redis-cli'],
      ['set a 1\rget a\rincr a\rget b\rkeys *\r', '\x04'],
      { tty: true },
    );
    assert.equal(code, 0);
    assert.deepEqual(out.split('\r\n'), [
      '127.0.0.1:6379> set a 1',
      'OK',
      '127.0.0.1:6379> get a',
      '"1"',
      '127.0.0.1:6379> incr a',
      '(integer) 2',
      '127.0.0.1:6379> get b',
      '(nil)',
      '127.0.0.1:6379> keys *',
      '1) "a"',
      '127.0.0.1:6379> ',
    ]);
  });
});
