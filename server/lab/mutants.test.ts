import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLab, type StepDefinition } from '#common/lab/index.ts';
import { type CheckContext, watchThrough } from '../check/index.ts';
import { memoryApi } from '../check/memory-api.ts';
import { realClock } from '../clock.ts';
import { survivors } from './mutants.ts';

const text = { 'zh-TW': '看', en: 'Look' };

function step(...checks: unknown[]): StepDefinition {
  const parsed = parseLab({
    title: text,
    minutes: 1,
    steps: [{ id: 'a', task: text, hints: [text], checks }],
  });
  assert.ok(parsed.ok);
  return parsed.lab.steps[0] as StepDefinition;
}

const context = () =>
  ({
    kube: watchThrough(
      memoryApi({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'web', namespace: 'shop', labels: { app: 'web' } },
        spec: { containers: [{ name: 'web', image: 'nginx' }] },
        status: { phase: 'Running' },
      }),
      realClock(),
    ),
  }) as CheckContext;

test('a strict check refuses every wrong state', async () => {
  const strict = {
    resource: {
      ref: { kind: 'Pod', namespace: 'shop', name: 'web' },
      match: { spec: { containers: [{ image: 'nginx' }] }, status: { phase: { $in: ['Running'] } } },
    },
  };
  assert.deepEqual(await survivors(step(strict), context()), { tried: 5, survived: [] });
});

test('a check that does not name the namespace lets another one through, and is told', async () => {
  const { survived } = await survivors(step({ resource: { ref: { kind: 'Pod', name: 'web' } } }), context());
  assert.deepEqual(survived, ['resource-1 still holds with another namespace']);
});

test('a field that nothing depends on is told', async () => {
  const loose = {
    resource: {
      ref: { kind: 'Pod', namespace: 'shop', name: 'web' },
      match: { status: { phase: { $matches: '' } } },
    },
  };
  const { survived } = await survivors(step(loose), context());
  assert.deepEqual(survived, ['resource-1 still holds with another status.phase']);
});

test('a lab that says why is let through', async () => {
  const { tried } = await survivors(
    step({ resource: { ref: { kind: 'Pod', name: 'web' } }, lenient: 'Any namespace will do.' }),
    context(),
  );
  assert.equal(tried, 0);
});
