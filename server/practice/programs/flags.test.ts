import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flagOf, switchedOn } from './flags.ts';

test('a flag has its value behind an equals sign or in the next word', () => {
  const argv = ['server', '--port=80', '-host', 'db', '--dsn=user@tcp(db)/x?a=b', '--empty='];
  const values = ['port', 'host', 'dsn', 'empty', 'other', 'por'].map(name => flagOf({ argv }, name));
  assert.deepEqual(values, ['80', 'db', 'user@tcp(db)/x?a=b', '', undefined, undefined]);
});

test('a switch is on by its name alone', () => {
  const argv = ['server', '--a', '--b=true', '--c=false'];
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map(name => switchedOn({ argv }, name)),
    [true, true, false, false],
  );
});
