// All code of a worker in one file: a thread that loads one file is ready some hundred milliseconds sooner, and some
// megabytes smaller, than one that loads each module by itself. Knows nothing of what the code does.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, parse, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export interface CodeOptions {
  /** The project: sources are named from here. */
  root: string;
  /** The module that a worker runs. */
  entry: string;
  /** A folder of our own for what is made. */
  cache: string;
}

const SELF = fileURLToPath(import.meta.url);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const WORKER: CodeOptions = {
  root: ROOT,
  entry: fileURLToPath(new URL('./worker.ts', import.meta.url)),
  cache: join(ROOT, '.cache', 'worker'),
};
/** Packages that a cluster loads late or never. */
const LATE = [
  '@kubernetes/client-node',
  '@peculiar/x509',
  'bcryptjs',
  'just-bash',
  'reflect-metadata',
  'ws',
  'yaml',
];
/** In each folder of code: what it was made of. */
const LIST = 'sources.json';
/** Another process may still start threads from code that is older than ours: so many of the newest are kept. */
const KEEP = 4;

/** Source to the moment and size it had. */
type Sources = Record<string, string>;

/**
 * Where a worker's code lies, made anew (half a second) when one of its sources has changed. Undefined where it cannot be
 * made, for want of a bundler or because of a mistake in a source: the modules themselves then run, or say what is wrong.
 */
export async function workerCode(options: CodeOptions = WORKER): Promise<URL | undefined> {
  try {
    const folder = await inTurn(async () => current(options) ?? (await make(options)));
    return pathToFileURL(join(folder, `${parse(options.entry).name}.mjs`));
  } catch {
    return undefined;
  }
}

let last: Promise<unknown> = Promise.resolve();

/** Clusters that start together make their code once. */
function inTurn<T>(task: () => Promise<T>): Promise<T> {
  const turn = last.then(task);
  last = turn.catch(() => {});
  return turn;
}

function stampOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && `${found.mtimeMs} ${found.size}`;
}

/** The folder whose sources are as they were. */
function current({ root, cache }: CodeOptions): string | undefined {
  for (const folder of folders(cache)) {
    const sources = JSON.parse(readFileSync(join(folder, LIST), 'utf8')) as Sources;
    if (Object.entries(sources).every(([source, stamp]) => stampOf(join(root, source)) === stamp))
      return folder;
  }
  return undefined;
}

function folders(cache: string): string[] {
  if (!existsSync(cache)) return [];
  return readdirSync(cache)
    .filter(name => name.startsWith('code-'))
    .map(name => join(cache, name));
}

/**
 * An import of one of Node's own modules reads everything that module exports, and so loads all that waits there to be asked
 * for (web crypto, promises of files): some 20 ms of each start. Taking the names that are meant loads what they need.
 */
function withoutNodeImports(text: string): string {
  return text.replaceAll(/^import \{([^}]*)\} from ('node:[^']+');/gm, (_, names: string, from: string) => {
    const values = names.replaceAll(/\btype\s+\w+\s*,?/g, '').replaceAll(/\s+as\s+/g, ': ');
    return `const {${values}} = process.getBuiltinModule(${from});`;
  });
}

/**
 * The bundler escapes what is not ASCII everywhere but in regular expressions. One such letter makes V8 hold the whole file in
 * two bytes a character, in each cluster's thread.
 */
function inAscii(contents: Uint8Array): string {
  const text = new TextDecoder().decode(contents);
  return text.replaceAll(/[^\0-\x7f]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

async function make({ root, entry, cache }: CodeOptions): Promise<string> {
  const { build, stop } = await import('esbuild');
  const sources: Sources = { [relative(root, SELF)]: stampOf(SELF) as string };
  const { outputFiles } = await build({
    entryPoints: [entry],
    absWorkingDir: root,
    // As deep as the folder it will be, so that the maps name their sources rightly.
    outdir: join(cache, 'code'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // What is loaded only when asked for stays apart.
    splitting: true,
    external: LATE,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    sourcemap: 'external',
    sourcesContent: false,
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: 'silent',
    plugins: [
      {
        name: 'sources',
        setup: ({ onLoad }) =>
          onLoad({ filter: /\.[jt]s$/ }, async ({ path }) => {
            // Before it is read: what changes from now on is noticed by the next start.
            sources[relative(root, path)] = stampOf(path) as string;
            const text = await readFile(path, 'utf8');
            // Files that lie beside a module stay there.
            const url = JSON.stringify(pathToFileURL(path).href);
            const contents = withoutNodeImports(text).replaceAll('import.meta.url', url);
            return { loader: 'default', contents };
          }),
      },
    ],
  });
  // Its process would wait for more for as long as ours lives.
  await stop();
  const list = JSON.stringify(sources);
  const folder = join(cache, `code-${createHash('sha256').update(list).digest('hex').slice(0, 12)}`);
  const others = folders(cache).sort((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs);
  for (const old of others.slice(KEEP)) rmSync(old, { recursive: true, force: true });
  // Written beside and renamed: another process that starts now must never find half of it.
  const draft = join(cache, `draft-${process.pid}-${Math.trunc(performance.now() * 1000)}`);
  await mkdir(draft, { recursive: true });
  for (const { path, contents } of outputFiles)
    await writeFile(join(draft, basename(path)), path.endsWith('.mjs') ? inAscii(contents) : contents);
  await writeFile(join(draft, LIST), list);
  try {
    renameSync(draft, folder);
  } catch {
    // Another process was faster with the same.
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}
