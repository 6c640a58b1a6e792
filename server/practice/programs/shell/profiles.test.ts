// No image claims a command that nothing here runs: it would print nothing and end well.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { getCommandNames } from 'just-bash';
import { isBuiltin, isShellName, PROFILES } from './profiles.ts';
import { addedCommands } from './session.ts';
import type { ShellTools } from './types.ts';

it('every command of an image is one that runs', () => {
  const own = addedCommands({ container: { env: {} } } as ShellTools).map(command => command.name);
  const runs = new Set<string>([...getCommandNames(), ...own]);
  const silent = PROFILES.flatMap(([image, { commands }]) =>
    commands
      .filter(name => !runs.has(name) && !isBuiltin(name) && !isShellName(name))
      .map(name => `${image} ${name}`),
  );
  assert.deepEqual(silent, []);
});
