import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseLab, type StepDefinition } from '#common/lab/index.ts';
import { type CheckContext, watchThrough } from '../../check/index.ts';
import { memoryApi } from '../../check/memory-api.ts';
import { realClock } from '../../clock.ts';
import { survivors } from './index.ts';

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

const home = mkdtempSync(join(tmpdir(), 'mutants-'));
after(() => rmSync(home, { recursive: true, force: true }));

const JANE = { as: 'jane', verb: 'list', resource: 'pods', namespace: 'shop' };

function allowing(allows: (attributes: Record<string, string>, user: string) => boolean): CheckContext {
  const api = memoryApi();
  api.allows = allows;
  return { kube: watchThrough(api, realClock()) } as CheckContext;
}

test('an access check alone lets a cluster admin through; with guards it does not', async () => {
  const inShop = allowing(({ namespace }) => namespace === 'shop');
  const alone = await survivors(step({ access: { ...JANE, allowed: true } }), inShop);
  assert.deepEqual(alone.survived, [
    'access-1 still holds with everything allowed to jane',
    'access-1 still holds with list pods allowed to jane in every namespace',
  ]);
  const { namespace: _, ...everywhere } = JANE;
  const guarded = step({ access: { ...JANE, allowed: true } }, { access: { ...everywhere, allowed: false } });
  assert.deepEqual(await survivors(guarded, inShop), { tried: 4, survived: [] });
});

test('an http check that only wants an answer lets a failing server through', async () => {
  const api = memoryApi(
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web-1', namespace: 'shop', labels: { app: 'web' } },
      spec: { containers: [] },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    },
  );
  const world = { kube: watchThrough(api, realClock()) } as CheckContext;
  const loose = await survivors(step({ http: { service: 'shop/web:80' } }), world);
  assert.deepEqual(loose.survived, ['http-1 still holds with a server that fails (503)']);
  const strict = step({ http: { service: 'shop/web:80', status: 200, body: { $matches: 'welcome' } } });
  assert.deepEqual(await survivors(strict, world), { tried: 4, survived: [] });
  const wordless = step({ http: { service: 'shop/web:80', status: 200, body: { $matches: '' } } });
  assert.deepEqual((await survivors(wordless, world)).survived, ['http-1 still holds with another page']);
});

test('a file check must notice each field it asks for, and what it does not ask for is not its matter', async () => {
  writeFileSync(join(home, 'pod.yaml'), 'kind: Pod\nmetadata: { name: web, namespace: shop }\n');
  const world = { ...context(), home, since: 0 } as CheckContext;
  const strict = step({ file: { path: '~/pod.yaml', match: { kind: 'Pod', metadata: { name: 'web' } } } });
  assert.deepEqual(await survivors(strict, world), { tried: 4, survived: [] });
  const loose = step({ file: { path: '~/pod.yaml', match: { metadata: { name: { $matches: 'web' } } } } });
  assert.deepEqual((await survivors(loose, world)).survived, []);
  const blind = step({ file: { path: '~/pod.yaml', match: { metadata: { name: { $matches: '' } } } } });
  assert.deepEqual((await survivors(blind, world)).survived, [
    'file-1 still holds with another metadata.name',
  ]);
});
