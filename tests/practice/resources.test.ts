// The contract of the resources family: every kind goes through every verb with a good object, and says what is wrong with bad ones.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '../../server/clock.ts';
import { apiVersionOf, type KubeObject, StatusError } from '../../server/kube/index.ts';
import { mergePatch } from '../../server/kube/patch/index.ts';
import {
  createRegistry,
  type RegistryWatchEvent,
  type RequestContext,
} from '../../server/practice/registry/index.ts';
import { resources } from '../../server/practice/resources/index.ts';
import { createMemoryStore } from '../../server/practice/store/index.ts';
import { seededRandom } from '../../server/random.ts';
import { type Example, examples } from './resource-examples.ts';

function world() {
  const clock = fakeClock();
  const { registry, seed } = createRegistry({
    store: createMemoryStore(),
    clock,
    random: seededRandom(7),
    resources,
    authorization: 'AlwaysAllow',
  });
  seed({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'default' },
    spec: {},
    status: { phase: 'Active' },
  });
  const warnings: string[] = [];
  const context: RequestContext = {
    user: { name: 'tester', groups: ['system:masters', 'system:authenticated'] },
    fieldManager: 'contract',
    fieldManagerGiven: true,
    fieldValidation: 'Strict',
    warn: text => warnings.push(text),
  };
  return { registry, context, warnings, clock };
}

const definitionOf = ({ group, version, resource }: Example) => {
  const found = resources.find(
    d => d.group === group && d.resource === resource && d.versions.includes(version),
  );
  assert.ok(found, `${resource}.${group}`);
  return found;
};

function bodyOf(example: Example): KubeObject {
  const definition = definitionOf(example);
  const { metadata, ...rest } = structuredClone(example.valid);
  return {
    apiVersion: apiVersionOf(example),
    kind: definition.kind,
    metadata: { ...metadata, ...(definition.namespaced ? { namespace: 'default' } : {}) },
    ...rest,
  };
}

function pathOf(example: Example, name?: string) {
  const { group, version, resource } = example;
  return {
    group,
    version,
    resource,
    ...(definitionOf(example).namespaced ? { namespace: 'default' } : {}),
    ...(name ? { name } : {}),
  };
}

const titleOf = ({ group, version, resource }: Example) =>
  `${resource}${group ? `.${group}` : ''}/${version}`;

test('every kind that can be stored has an example', () => {
  const missing = resources
    .filter(d => (d.verbs ?? ['delete']).includes('delete'))
    .flatMap(d => d.versions.map(version => ({ d, version })))
    .filter(
      ({ d, version }) =>
        !examples.some(e => e.group === d.group && e.resource === d.resource && e.version === version),
    )
    .map(({ d, version }) => `${d.resource}.${d.group}/${version}`);
  assert.deepEqual(missing, []);
});

for (const example of examples) {
  test(`${titleOf(example)} is created, read, changed in every way, watched and deleted`, async () => {
    const { registry, context } = world();
    const body = bodyOf(example);
    const { name } = body.metadata;
    const path = pathOf(example, name);
    const definition = definitionOf(example);

    const created = await registry.create(context, pathOf(example), { value: body });
    assert.equal(created.created, true);
    assert.ok(
      created.object.metadata.uid &&
        created.object.metadata.resourceVersion &&
        created.object.metadata.creationTimestamp,
    );
    assert.equal(created.object.metadata.generation, definition.hasGeneration ? 1 : undefined);
    const read = async () => (await registry.get(context, path)) as KubeObject;
    // What the server says of these at once is a second write.
    const settled = await read();
    const conditions = { CustomResourceDefinition: 2, FlowSchema: 1 }[definition.kind];
    if (conditions) assert.equal(settled.status.conditions.length, conditions);
    else assert.deepEqual(settled, created.object);

    const listed = await registry.list(context, pathOf(example), {});
    assert.ok(listed.items.some(item => item.metadata.name === name));
    assert.equal(listed.kind, `${definition.kind}List`);
    assert.equal(definition.row(created.object, { now: 0 }).length, definition.columns.length);

    const same = await registry.update(context, path, { value: structuredClone(await read()) });
    assert.equal(
      same.object.metadata.resourceVersion,
      settled.metadata.resourceVersion,
      'a no-op writes nothing',
    );

    const events: RegistryWatchEvent[] = [];
    const watch = await registry.watch(
      context,
      pathOf(example),
      { resourceVersion: listed.metadata.resourceVersion },
      { event: event => events.push(event), end() {} },
    );

    if (example.change) {
      const changed = await registry.patch(context, path, 'merge', { value: example.change });
      assert.notEqual(changed.object.metadata.resourceVersion, created.object.metadata.resourceVersion);
    }
    const label = (value: string) => ({ metadata: { labels: { contract: value } } });
    await registry.patch(context, path, 'merge', { value: label('merge') });
    await registry.patch(context, path, 'strategic', { value: label('strategic') });
    assert.equal((await read()).metadata.labels?.['contract'], 'strategic');
    await registry.patch(context, path, 'json', {
      value: [{ op: 'replace', path: '/metadata/labels/contract', value: 'json' }],
    });
    assert.equal((await read()).metadata.labels?.['contract'], 'json');
    const applied = {
      apiVersion: body.apiVersion,
      kind: body.kind,
      metadata: { name, labels: { contract: 'apply' } },
    };
    await registry.patch(context, path, 'apply', { value: applied }, { force: true });
    const last = await read();
    assert.equal(last.metadata.labels?.['contract'], 'apply');
    assert.ok(last.metadata.managedFields?.some(entry => entry.operation === 'Apply'));

    if (example.change && definition.hasGeneration)
      assert.equal(last.metadata.generation, 2, 'labels bump nothing, the change does');

    const stale = structuredClone(created.object);
    stale.metadata.labels = { contract: 'stale' };
    await assert.rejects(
      registry.update(context, path, { value: stale }),
      (error: unknown) => error instanceof StatusError && error.code === 409,
    );

    await registry.delete(context, path, { gracePeriodSeconds: 0 });
    const still = await read().catch((error: StatusError) => {
      assert.equal(error.code, 404);
      return undefined;
    });
    if (still) assert.ok(still.metadata.deletionTimestamp, 'what waits for a finalizer says so');
    watch.stop();
    assert.ok(events.some(event => event.type === 'MODIFIED'));
    if (!still) assert.equal(events.at(-1)?.type, 'DELETED');
  });

  for (const [patch, ...findings] of example.invalid) {
    test(`${titleOf(example)} is refused with ${findings.join(' and ').slice(0, 90)}`, async () => {
      const { registry, context } = world();
      const body = mergePatch(bodyOf(example), patch);
      await assert.rejects(registry.create(context, pathOf(example), { value: body }), (error: unknown) => {
        assert.ok(error instanceof StatusError, String(error));
        const definition = definitionOf(example);
        const kind = definition.group ? `${definition.kind}.${definition.group}` : definition.kind;
        const text = findings.length === 1 ? findings[0] : `[${findings.join(', ')}]`;
        assert.equal(error.message, `${kind} "${body.metadata.name}" is invalid: ${text}`);
        assert.equal(error.code, 422);
        return true;
      });
    });
  }
}
