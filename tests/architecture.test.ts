// Who may import whom: the paragraph of the design as a table. A row lists what a folder may import; the longest match counts.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** What almost everything on the server may use. */
const BASE = ['src/common', 'server/clock', 'server/random', 'server/on-path', 'server/kube'];
/** The four that do not see each other. */
const MIDDLE = ['server/cluster', 'server/workspace', 'server/terminal', 'server/progress'];
/** Inside the practice cluster: what works through an API client. */
const CLIENTS = BASE;

const MAY_IMPORT: Record<string, string[]> = {
  'src/common': ['src/common'],
  'src/course': ['src/course', 'src/common', 'src/strings'],
  'src/client': ['src/client', 'src/common', 'src/strings', 'src/styles'],
  'src/strings': ['src/strings', 'src/common'],
  'server/start': ['server/start', 'server/main', 'server/config'],
  'server/main': [
    ...BASE,
    'server/config',
    'server/claim',
    'server/http',
    'server/session',
    'server/lab',
    'server/practice',
    ...MIDDLE,
  ],
  'server/practice-main': [...BASE, 'server/practice', 'server/lab', 'server/check'],
  'server/config': [],
  'server/claim': [],
  'server/clock': [],
  'server/random': [],
  'server/on-path': [],
  'server/http': [...BASE, 'server/http', 'server/session', 'server/terminal'],
  'server/session': [...BASE, 'server/session', 'server/lab', 'server/map', ...MIDDLE],
  'server/map': [...BASE, 'server/map', 'server/check'],
  'server/lab': [...BASE, 'server/lab', 'server/check', ...MIDDLE],
  'server/check': [...BASE, 'server/check'],
  'server/cluster': [...BASE, 'server/cluster', 'server/practice', 'server/kube'],
  'server/workspace': [...BASE, 'server/workspace'],
  'server/terminal': [...BASE, 'server/terminal'],
  'server/progress': [...BASE, 'server/progress'],
  'server/kube': ['server/kube', 'src/common'],
  'server/practice': [...CLIENTS, 'server/practice'],
  'server/practice/store': [...CLIENTS, 'server/practice/store'],
  'server/practice/schema': [...CLIENTS, 'server/practice/schema'],
  'server/practice/resources': [
    ...CLIENTS,
    'server/practice/resources',
    'server/practice/schema',
    'server/practice/cel',
  ],
  'server/practice/admission': [
    ...CLIENTS,
    'server/practice/admission',
    'server/practice/resources',
    'server/practice/schema',
    'server/practice/cel',
    'server/practice/network',
  ],
  'server/practice/cel': [...CLIENTS, 'server/practice/cel'],
  'server/practice/controllers': [...CLIENTS, 'server/practice/controllers'],
  'server/practice/programs': [...CLIENTS, 'server/practice/programs', 'server/practice/network'],
  'server/practice/network': [...CLIENTS, 'server/practice/network'],
  'server/practice/tools': [...CLIENTS, 'server/practice/tools'],
};

/** Only these reach the layer below; every other file of the practice cluster is refused it. */
const ONLY: { target: string; from: string[] }[] = [
  {
    target: 'server/practice/registry',
    from: [
      'server/practice/registry',
      'server/practice/rest',
      'server/practice/cluster',
      'server/practice/bootstrap',
    ],
  },
  {
    target: 'server/practice/store',
    from: ['server/practice/store', 'server/practice/registry', 'server/practice/cluster'],
  },
];

/** Doors besides index.ts and types.ts, each with its reason. */
const SIDE_DOORS: Record<string, string> = {
  'server/practice/rest/kubelet-api.ts': 'a contract, like types.ts',
  'server/practice/rest/certificates.ts':
    'the main thread makes the authority of a new cluster, where that is quick',
  'server/practice/rest/kubeconfig.ts':
    'the main thread needs this text; the rest of the API server it never loads',
};

/** Files of the practice cluster that may use the machine's own time, each with its reason. */
const MACHINE_TIME: Record<string, string> = {
  'server/practice/worker-handle.ts': "it lives on the server's side of the thread",
  'server/practice/worker.ts': 'when compiled code is kept for the next run is no business of the cluster',
  'server/practice/rest/server.ts': 'closing sockets wait for the machine, not for the cluster',
};

interface Import {
  file: string;
  target: string;
  typeOnly: boolean;
}

async function sources(folder: string): Promise<string[]> {
  if (!existsSync(join(ROOT, folder))) return [];
  const entries = await readdir(join(ROOT, folder), { recursive: true });
  return entries
    .filter(name => /\.(ts|mjs)$/.test(name) && !name.endsWith('.d.ts'))
    .map(name => join(folder, name).split(sep).join('/'));
}

/** All that may name what a module offers, pages and components too. */
async function texts(folder: string): Promise<{ file: string; text: string }[]> {
  const names = (await readdir(join(ROOT, folder), { recursive: true }))
    .map(name => join(folder, name).split(sep).join('/'))
    .filter(name => /\.(ts|mjs|js|astro)$/.test(name));
  return Promise.all(names.map(async file => ({ file, text: await readFile(join(ROOT, file), 'utf8') })));
}

async function importsOf(file: string): Promise<Import[]> {
  const text = (await readFile(join(ROOT, file), 'utf8')).replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const found: Import[] = [];
  for (const [, words = '', from, dynamic] of text.matchAll(
    /\b(?:(?:import|export)\b([^'"`;]*?)\bfrom\s*|import\s*)['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g,
  )) {
    const name = from ?? dynamic ?? '';
    const typeOnly = /^\s*type\b/.test(words);
    if (name.startsWith('.'))
      found.push({
        file,
        target: relative(ROOT, resolve(ROOT, dirname(file), name))
          .split(sep)
          .join('/'),
        typeOnly,
      });
    else if (name.startsWith('#common/'))
      found.push({ file, target: name.replace('#common/', 'src/common/'), typeOnly });
    else found.push({ file, target: name, typeOnly });
  }
  return found;
}

const within = (path: string, folder: string) =>
  path === folder || path.startsWith(`${folder}/`) || path.startsWith(`${folder}.`);
const isTest = (file: string) => /\.test\.ts$|\/testing\//.test(file);

function rowFor(file: string): string | undefined {
  return Object.keys(MAY_IMPORT)
    .filter(folder => within(file, folder))
    .sort((a, b) => b.length - a.length)[0];
}

const files = [...(await sources('src')), ...(await sources('server'))].filter(file => !isTest(file));
const imports = (await Promise.all(files.map(importsOf))).flat();
const ours = imports.filter(({ target }) => /^(src|server|labs|tests|content)\//.test(target));

test('a folder imports only what the table lists', () => {
  const wrong = ours.filter(({ file, target }) => {
    const row = rowFor(file);
    // A contract (types.ts) may be read by whoever is given one of its things.
    return (
      row !== undefined &&
      !MAY_IMPORT[row]!.some(allowed => within(target, allowed)) &&
      !/\/types\.ts$/.test(target)
    );
  });
  assert.deepEqual(
    wrong.map(({ file, target }) => `${file} -> ${target}`),
    [],
  );
});

test('only the API reaches the registry, and only the registry reaches the store', () => {
  const wrong = ours.filter(({ file, target, typeOnly }) =>
    ONLY.some(
      rule =>
        within(target, rule.target) &&
        !typeOnly &&
        !/\/types\.ts$/.test(target) &&
        within(file, 'server/practice') &&
        !rule.from.some(from => within(file, from)),
    ),
  );
  assert.deepEqual(
    wrong.map(({ file, target }) => `${file} -> ${target}`),
    [],
  );
});

test('another folder is entered by its index or its types', () => {
  const depth = (path: string) =>
    path.startsWith('server/practice/') || path.startsWith('src/common/') ? 3 : 2;
  const folderOf = (path: string) => path.split('/').slice(0, depth(path)).join('/');
  const wrong = ours.filter(({ file, target }) => {
    const folder = folderOf(target);
    // What is bundled for the page picks its files one by one.
    if (!target.startsWith('server/') || target in SIDE_DOORS) return false;
    if (!existsSync(join(ROOT, folder)) || /\.\w+$/.test(folder) || within(file, folder)) return false;
    // Inside the practice cluster, what is above its folders is one room.
    if (folder === 'server/practice') return false;
    return !/\/(index|types)\.ts$/.test(target);
  });
  assert.deepEqual(
    wrong.map(({ file, target }) => `${file} -> ${target}`),
    [],
  );
});

test('what page and server share knows neither', () => {
  const wrong = imports.filter(
    ({ file, target }) => within(file, 'src/common') && !target.startsWith('src/common/') && target !== 'zod',
  );
  assert.deepEqual(
    wrong.map(({ file, target }) => `${file} -> ${target}`),
    [],
  );
});

test('terminals, sessions and the practice cluster know no WebSocket server and no web framework', () => {
  const wrong = imports.filter(
    ({ file, target }) =>
      ['ws', 'sirv', 'node:http'].includes(target) &&
      ['server/terminal', 'server/session'].some(folder => within(file, folder)),
  );
  assert.deepEqual(
    wrong.map(({ file, target }) => `${file} -> ${target}`),
    [],
  );
});

test('checks see a cluster only through its client and a kubeconfig', () => {
  const wrong = ours.filter(
    ({ file, target }) => within(file, 'server/check') && within(target, 'server/practice'),
  );
  assert.deepEqual(wrong, []);
});

test('the practice cluster takes time and chance as arguments', async () => {
  const wrong: string[] = [];
  for (const file of files.filter(name => within(name, 'server/practice'))) {
    const text = (await readFile(join(ROOT, file), 'utf8')).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    if (file in MACHINE_TIME) continue;
    for (const [word] of text.matchAll(
      /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bset(?:Timeout|Interval)\(/g,
    ))
      wrong.push(`${file}: ${word}`);
  }
  assert.deepEqual(wrong, []);
});

test('each module opens with a sentence that says what it is', async () => {
  const wrong: string[] = [];
  for (const file of files) {
    const text = await readFile(join(ROOT, file), 'utf8');
    if (text.split('\n').length > 30 && !/^(#!.*\n)?(\/\/|\/\*)/.test(text)) wrong.push(file);
  }
  assert.deepEqual(wrong, []);
});

test('what a module offers, some other file asks for', async () => {
  const everyone = (await Promise.all(['src', 'server', 'tests', 'labs'].map(texts))).flat();
  const config = await readFile(join(ROOT, 'astro.config.mjs'), 'utf8');
  everyone.push({ file: 'astro.config.mjs', text: config });
  const seenIn = new Map<string, number>();
  for (const { text } of everyone)
    for (const word of new Set(text.match(/[\w$]+/g))) seenIn.set(word, (seenIn.get(word) ?? 0) + 1);
  const offer = /^export (?:async )?(?:abstract )?(?:function\*?|const|class) ([\w$]+)/gm;
  const idle = everyone
    .filter(({ file }) => files.includes(file))
    .flatMap(({ file, text }) => [...text.matchAll(offer)].map(([, name = '']) => ({ file, name })))
    // Astro asks for what this file offers.
    .filter(({ file, name }) => file !== 'src/content.config.ts' && seenIn.get(name) === 1);
  assert.deepEqual(
    idle.map(({ file, name }) => `${file}: ${name}`),
    [],
  );
});

test('modules do not load each other in a circle', () => {
  const loads = new Map<string, string[]>();
  for (const { file, target, typeOnly } of ours)
    if (!typeOnly) loads.set(file, [...(loads.get(file) ?? []), target]);
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, way: string[]) => {
    if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(' -> '));
    else if (!done.has(file)) for (const next of loads.get(file) ?? []) visit(next, [...way, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  assert.deepEqual(circles, []);
});
