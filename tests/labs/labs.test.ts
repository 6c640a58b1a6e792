// Every lab proves itself on a practice cluster, typed into a real terminal. LAB=id restricts it to one.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { realClock } from '../../server/clock.ts';
import { lintLab, lintSchemas, listLabs, loadLab, practiceTools, proveLab } from '../../server/lab/index.ts';
import { KUBECTL, NO_KUBECTL } from '../support/kubectl.ts';

const LABS = join(import.meta.dirname, '../../labs');
/** A lab that takes longer is stuck. Milliseconds. */
const TIMEOUT = 240_000;
const ids = process.env['LAB'] ? [process.env['LAB']] : listLabs(LABS);

test('the schemas editors read are those of the code', () => {
  assert.deepEqual(lintSchemas(LABS), []);
});

test('the labs use every kind of check between them', () => {
  const used = new Set(
    listLabs(LABS).flatMap(id =>
      loadLab(LABS, id).definition.steps.flatMap(step => step.checks.map(check => check.kind)),
    ),
  );
  assert.deepEqual([...used].sort(), [
    'absent',
    'access',
    'answer',
    'command',
    'file',
    'http',
    'resource',
    'script',
  ]);
});

// A proof mostly waits (for back-offs, for a mistake to stay refused), so a few beside each other cost little.
describe('proofs', { concurrency: 3 }, () => {
  for (const id of ids) {
    test(`${id}: nothing is wrong with its files`, () => {
      assert.deepEqual(lintLab(LABS, id), []);
    });

    test(`${id}: unsolved it fails, solved it passes twice, each mistake is refused`, {
      timeout: TIMEOUT,
      skip: NO_KUBECTL,
    }, async () => {
      const proof = await proveLab({
        lab: loadLab(LABS, id),
        labs: LABS,
        clock: realClock(),
        kubectl: KUBECTL,
        tools: await practiceTools(),
      });
      assert.deepEqual(proof.failures, []);
      assert.ok(proof.shown.length >= 4);
    });
  }
});
