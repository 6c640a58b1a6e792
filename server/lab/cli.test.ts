// What the author's command answers to a line it cannot follow: a sentence and exit code 2, never a trace of our code.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const labs = (...args: string[]) =>
  spawnSync(process.execPath, [join(import.meta.dirname, 'cli.ts'), ...args], { encoding: 'utf8' });

for (const [args, says] of [
  [['test', '--minikube'], /^--minikube wants a value/],
  [['test', '--shiny'], /^there is no option --shiny\n/],
  [['dance'], /^there is no command dance\.\n/],
  [['run', 'first-steps', '--kubeconfig', 'a', '--minikube', 'b'], /^give either --kubeconfig or --minikube/],
  [['run', 'first-steps', '--minikube', 'no-such-profile'], /^minikube has no profile no-such-profile/],
] as const)
  test(`"${args.join(' ')}" is refused with a sentence`, () => {
    const { status, stderr } = labs(...args);
    assert.match(stderr, says);
    assert.doesNotMatch(stderr, /\n\s+at /);
    assert.equal(status, 2);
  });
