// Builds the site when one of its inputs has changed since the last build. Knows nothing of what is on it.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { Sorry } from './sorry.mjs';

/** Everything the build reads. */
const INPUTS = ['src', 'content', 'labs', 'astro.config.mjs', 'package-lock.json', 'tsconfig.json'];
/** Files worth compressing once instead of at each request; smaller ones fit into one packet anyway. */
const COMPRESSED = /\.(html|js|mjs|css|svg|json|txt|xml|wasm)$/;
const SMALLEST = 1024;

/** Behind `npm run build`: builds, needed or not. */
export async function run({ root }) {
  await buildSite(root, { always: true });
}

/** Resolves when dist/ is up to date. */
export async function buildSite(root, { always = false, quiet = false } = {}) {
  const stampFile = join(root, '.cache', 'site.json');
  const stamp = await hashOf(root);
  const last = await readFile(stampFile, 'utf8').then(
    text => JSON.parse(text).stamp,
    () => undefined,
  );
  if (!always && last === stamp && existsSync(join(root, 'dist', 'index.html'))) return;
  if (!quiet) console.log('Building the site ...');
  // Without a stamp a build that is cut short is done again.
  await rm(stampFile, { force: true });
  await astroBuild(root, quiet);
  await compress(join(root, 'dist'));
  await mkdir(join(root, '.cache'), { recursive: true });
  await writeFile(stampFile, `${JSON.stringify({ stamp })}\n`);
}

async function hashOf(root) {
  const hash = createHash('sha256');
  for (const input of INPUTS) {
    const path = join(root, input);
    const files = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => undefined);
    const paths = files
      ? files
          .filter(file => file.isFile())
          .map(file => join(file.parentPath ?? file.path, file.name))
          .sort()
      : [path];
    for (const file of paths)
      hash.update(file.slice(root.length)).update(await readFile(file).catch(() => 'none'));
  }
  return hash.digest('hex');
}

function astroBuild(root, quiet) {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [join(root, 'node_modules', 'astro', 'bin', 'astro.mjs'), 'build'],
      {
        cwd: root,
        env: { ...process.env, ASTRO_TELEMETRY_DISABLED: '1' },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', chunk => {
        said += chunk;
        if (process.env.VERBOSE && !quiet) process.stdout.write(chunk);
      });
    }
    child.once('error', reject);
    child.once('close', code => {
      if (code === 0) return resolve();
      // The log is long; its end holds the error.
      reject(new Sorry(`The site could not be built:\n${said.split('\n').slice(-40).join('\n')}`));
    });
  });
}

async function compress(folder) {
  const toBrotli = promisify(brotliCompress);
  const toGzip = promisify(gzip);
  for (const file of await readdir(folder, { recursive: true })) {
    if (!COMPRESSED.test(file)) continue;
    const path = join(folder, file);
    const bytes = await readFile(path);
    if (bytes.length < SMALLEST) continue;
    const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 6 } };
    await Promise.all([
      writeFile(`${path}.br`, await toBrotli(bytes, quality)),
      writeFile(`${path}.gz`, await toGzip(bytes)),
    ]);
  }
}
