// Runs npm, the one that called us where that is known. Tells what went wrong in half a sentence.

import { spawn } from 'node:child_process';

/** npm's own waits between tries, up to a minute each, keep whoever is offline from hearing of it. In milliseconds. */
const SOON = { npm_config_fetch_retry_mintimeout: '1000', npm_config_fetch_retry_maxtimeout: '5000' };

const running = new Set();

/** Ends what is under way, when the start has failed already; npm itself would try on for a minute. */
export function stopNpm() {
  for (const child of running) child.kill('SIGKILL');
}

/** Resolves with the exit code and, on failure, a reason to put into a sentence. Never rejects. */
export function npm(args, cwd) {
  const script = process.env.npm_execpath;
  const [file, first] = script && /npm-cli\.c?js$/.test(script) ? [process.execPath, [script]] : ['npm', []];
  // The caller's own npm variables (its prefix, its script name) would be taken for options.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(config_(prefix|local_prefix)|package_|lifecycle_)/.test(name),
    ),
  );
  return new Promise(resolve => {
    const child = spawn(file, [...first, ...args], {
      cwd,
      env: { ...SOON, ...env, PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    running.add(child);
    let said = '';
    child.stderr.on('data', chunk => {
      said = (said + chunk).slice(-8000);
    });
    child.once('error', error => {
      resolve({ code: 1, reason: error.code === 'ENOENT' ? 'npm was not found on the PATH' : error.message });
    });
    child.once('close', code => {
      running.delete(child);
      resolve({ code: code ?? 1, reason: reasonIn(said) });
    });
  });
}

export function reasonIn(said) {
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|ETIMEDOUT|ENOTCACHED|EHOSTUNREACH/.test(said))
    return 'this machine is offline, or the npm registry cannot be reached';
  if (/ENOSPC/.test(said)) return 'the disk is full';
  if (/EACCES|EPERM/.test(said)) return 'a folder may not be written to';
  const line = said
    .split('\n')
    .map(text => text.replace(/^npm (error|ERR!) ?/, '').trim())
    .find(text => text && !/^code /.test(text));
  return `npm said "${line ?? 'nothing'}"`;
}
