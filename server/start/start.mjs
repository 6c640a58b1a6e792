// Prepares a fresh clone (Node, packages) and runs one npm script. Depends on nothing but Node 20.

import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNode } from './node.mjs';
import { stopNpm } from './npm.mjs';
import { ensurePackages } from './packages.mjs';
import { Sorry } from './sorry.mjs';

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** What each script does once Node and the packages are there, and whether it needs what only developers need. */
const SCRIPTS = {
  start: { module: './serve.mjs', dev: false },
  dev: { module: './serve.mjs', dev: false },
  build: { module: './site.mjs', dev: false },
  test: { module: './test.mjs', dev: true },
  lint: { module: './lint.mjs', dev: true },
  bench: { file: 'tests/bench/main.ts', dev: false },
  labs: { file: 'server/lab/cli.ts', dev: false },
  content: { file: 'tests/content/cli.ts', dev: false },
  practice: { file: 'server/practice-main.ts', dev: false },
  conformance: { file: 'tests/conformance/main.ts', dev: false },
};

export async function start(name, args) {
  try {
    const script = Object.hasOwn(SCRIPTS, String(name)) ? SCRIPTS[name] : undefined;
    if (!script) throw new Sorry(`"${name}" is not one of: ${Object.keys(SCRIPTS).join(', ')}.`);
    // The child of a handed-over start finds everything in place already.
    const ready = process.env.KBD_HANDED_OVER ? undefined : ensurePackages(ROOT, script.dev);
    // Both wait for the network, so they wait together; the first that fails says why.
    const [node] = await Promise.all([findNode(ROOT), ready]);
    if (node !== process.execPath) {
      process.exitCode = await handOver(node, name, args);
      return;
    }
    delete process.env.KBD_HANDED_OVER;
    process.chdir(ROOT);
    if (script.module) {
      const { run } = await import(script.module);
      process.exitCode = (await run({ root: ROOT, name, args })) ?? process.exitCode;
    } else {
      process.exitCode = await runFile(node, join(ROOT, script.file), args);
    }
  } catch (error) {
    if (error instanceof Sorry) console.error(error.message);
    else console.error(error);
    process.exitCode = 1;
    stopNpm();
  }
}

/** Runs this same script on another Node. The channel tells the child when this process is gone, however it went. */
function handOver(node, name, args) {
  const child = spawn(node, [join(ROOT, 'server', 'start.mjs'), name, ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, KBD_HANDED_OVER: '1' },
  });
  return untilEnd(child);
}

function runFile(node, file, args) {
  return untilEnd(spawn(node, [file, ...args], { stdio: 'inherit', cwd: ROOT }));
}

/** Ctrl-C reaches the child by itself (one terminal, one process group); this process only waits for it to be done. */
export function untilEnd(child) {
  return new Promise((resolve, reject) => {
    const onInt = () => {};
    const onTerm = () => child.kill('SIGTERM');
    const onHup = () => child.kill('SIGHUP');
    process.on('SIGINT', onInt);
    process.on('SIGTERM', onTerm);
    process.on('SIGHUP', onHup);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      process.off('SIGINT', onInt);
      process.off('SIGTERM', onTerm);
      process.off('SIGHUP', onHup);
      resolve(code ?? (signal === 'SIGINT' ? 130 : 1));
    });
  });
}
