import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startPracticeWorker } from './index.ts';
import { workerCode } from './worker-code.ts';

/** A project of two files. */
async function project(t: TestContext) {
  const root = await mkdtemp(join(tmpdir(), 'kbd-code-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const write = (name: string, text: string) => writeFile(join(root, name), text);
  await write(
    'main.ts',
    "import { part } from './part.ts';\nexport const all: string = part + import.meta.url;\n",
  );
  await write('part.ts', "export const part: string = 'first ';\n");
  return {
    write,
    root,
    code: () => workerCode({ root, entry: join(root, 'main.ts'), cache: join(root, 'made') }),
  };
}

test('the code of all modules is in one file, and each still knows where it lies', async t => {
  const { code, root } = await project(t);
  const made = await code();
  assert.ok(made);
  const { all } = await import(made.href);
  assert.equal(all, `first file://${root}/main.ts`);
  assert.equal((await code())?.href, made.href, 'made once');
});

test('a source that changes is in the code of the next start', async t => {
  const { write, code } = await project(t);
  const before = await code();
  await write('part.ts', "export const part: string = 'second ';\n");
  const after = await code();
  assert.notEqual(after?.href, before?.href);
  assert.match((await import(after!.href)).all, /^second /);
});

test('names of modules of Node are taken without importing all that these export', async t => {
  const { write, code } = await project(t);
  await write(
    'part.ts',
    "import { type Stats, statSync as look } from 'node:fs';\n" +
      "import { sep } from 'node:path';\n" +
      'const seen = (stats: Stats) => stats.isDirectory();\n' +
      "export const part = seen(look('/')) + sep;\n",
  );
  const made = await code();
  assert.doesNotMatch(readFileSync(made!, 'utf8'), /\bfrom\s*["']node:/);
  assert.match((await import(made!.href)).all, /^true\//);
});

test('the code is plain ASCII, and patterns match what they matched', async t => {
  const { write, code } = await project(t);
  await write('part.ts', "export const part = [/^\\d+(µs|ms)$/.test('5µs'), 'µs'.length, ''].join(' ');\n");
  const made = await code();
  assert.doesNotMatch(readFileSync(made!, 'utf8'), /[^\0-\x7f]/);
  assert.match((await import(made!.href)).all, /^true 2 /);
});

test('a mistake in a source makes no code', async t => {
  const { write, code } = await project(t);
  await write('part.ts', 'export const other = 1;\n');
  assert.equal(await code(), undefined);
});

test('what goes wrong in a worker names the lines that were written', async () => {
  assert.ok(await workerCode(), 'the worker runs from one file');
  await assert.rejects(
    startPracticeWorker({ controlPlaneOnly: true, listen: { socketPath: '/nowhere/at/all.sock' } }),
    /\/server\/practice\/rest\/server\.ts:\d+:\d+/,
  );
});

test('a cluster starts without the packages that only some clusters need', async () => {
  const entry = fileURLToPath((await workerCode()) as URL);
  const seen = new Set<string>();
  const packages = new Set<string>();
  const follow = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    // What is imported at the top runs before the cluster does; `import()` does not.
    const imports = /(?:^|[;}\n])import(?![(.])[^;"'()]*["']([^"']+)["']/g;
    for (const [, from = ''] of readFileSync(file, 'utf8').matchAll(imports)) {
      if (from.startsWith('.')) follow(join(dirname(file), from));
      else if (!from.startsWith('node:')) packages.add(from);
    }
  };
  follow(entry);
  assert.ok(seen.size > 1, 'there are imports to follow');
  assert.deepEqual([...packages], []);
});
