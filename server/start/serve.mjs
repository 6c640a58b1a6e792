// Behind `npm start` and `npm run dev`: the site and the server, until Ctrl-C.

import { spawn } from 'node:child_process';
import { enableCompileCache } from 'node:module';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { ensureSchemas } from './schemas.mjs';
import { buildSite } from './site.mjs';
import { Sorry } from './sorry.mjs';

export async function run({ root, name, args }) {
  // Types are stripped and code is compiled once, then read from here; workers inherit it through the environment.
  process.env.NODE_COMPILE_CACHE ??= join(root, '.cache', 'compile');
  enableCompileCache?.(process.env.NODE_COMPILE_CACHE);
  const { readConfig } = await import('../config.ts');
  let config;
  try {
    config = readConfig(root, args, process.env);
  } catch (error) {
    throw new Sorry(error.message);
  }
  let devSite;
  if (name === 'dev') {
    config.devSitePort = await freePort();
    devSite = spawn(
      process.execPath,
      [
        join(root, 'node_modules', 'astro', 'bin', 'astro.mjs'),
        'dev',
        '--host',
        '127.0.0.1',
        '--port',
        String(config.devSitePort),
      ],
      {
        cwd: root,
        env: { ...process.env, ASTRO_TELEMETRY_DISABLED: '1' },
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    );
  } else {
    await Promise.all([buildSite(root), ensureSchemas(root)]);
  }
  const { startServer } = await import('../main.ts');
  let server;
  try {
    server = await startServer(config);
  } catch (error) {
    devSite?.kill();
    throw new Sorry(sentenceFor(error, config.port));
  }
  if (devSite) await answering(config.devSitePort, devSite);
  announce(server);
  await untilAsked(server);
  devSite?.kill();
  await server.close();
  // Whatever still holds the loop open (a keep-alive connection, a library's timer) has no more say.
  setTimeout(() => process.exit(0), 300).unref();
}

function sentenceFor(error, port) {
  if (error.code === 'EADDRINUSE') {
    return `Port ${port} is taken, by another program or another copy of this one. Stop that one, or choose another port: npm start -- --port ${port + 1}`;
  }
  if (error.code === 'EACCES' && error.syscall === 'listen') {
    return `Port ${port} may not be used without special rights. Choose one above 1023: npm start -- --port 4680`;
  }
  if (error.name === 'CannotClaim') return error.message;
  return error.stack ?? String(error);
}

function announce(server) {
  console.log(
    `\n  動手學 Kubeflow · Kubeflow by Doing\n\n  ${server.link()}\n\n  Open it once; Enter prints a new link, Ctrl-C stops.\n`,
  );
  server.notices().then(notes => {
    for (const note of notes) console.log(`  ${note['zh-TW']}\n  ${note.en}\n`);
  });
}

/** Resolves at Ctrl-C, at a signal, or when the process that started this one is gone. */
function untilAsked(server) {
  return new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, resolve);
    if (process.connected) process.on('disconnect', resolve);
    if (!process.stdin.isTTY) return;
    process.stdin.on('data', () => console.log(`  ${server.link()}`));
    process.stdin.unref();
  });
}

/** Resolves when something listens there, or the process that should has ended. */
async function answering(port, child) {
  while (child.exitCode === null) {
    const open = await new Promise(resolve => {
      const probe = connect(port, '127.0.0.1');
      probe.once('connect', () => resolve(true)).once('error', () => resolve(false));
      probe.once('connect', () => probe.destroy());
    });
    if (open) return;
    await new Promise(resolve => setTimeout(resolve, 200));
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
