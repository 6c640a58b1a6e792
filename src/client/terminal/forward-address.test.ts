import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forwardAddress } from './forward-address.ts';

test('a port of this machine is opened by the name that the page was not opened by', () => {
  const forward = { id: '3-8080', port: 8080, direct: true } as const;
  assert.equal(forwardAddress(forward, 's', '127.0.0.1'), 'http://localhost:8080/');
  assert.equal(forwardAddress(forward, 's', '[::1]'), 'http://localhost:8080/');
  assert.equal(forwardAddress(forward, 's', 'localhost'), 'http://127.0.0.1:8080/');
});

test('a port of a sandbox is opened through our door', () => {
  assert.equal(forwardAddress({ id: '3-8080', port: 8080 }, 's-1', 'localhost'), '/open/s-1/3-8080');
});
