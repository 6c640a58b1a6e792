// Opens a way from this server to one port of a sandbox's loopback. Knows no HTTP.

import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Relay } from './types.ts';

/** Until it listens, in milliseconds. */
const READY_TIMEOUT = 5000;

/**
 * `pid` stands for the sandbox. Only its network is entered: were the socket to lie in a folder that shells can write, one of
 * them could put a link to a socket of the machine in its place.
 */
export async function openRelay(pid: number, port: number, socketPath: string): Promise<Relay> {
  await rm(socketPath, { force: true });
  const child = spawn(
    'nsenter',
    [
      '--preserve-credentials',
      `--target=${pid}`,
      '--user',
      '--net',
      '--',
      'setpriv',
      '--no-new-privs',
      '--',
      process.execPath,
      fileURLToPath(new URL('relay.mjs', import.meta.url)),
      socketPath,
      String(port),
    ],
    {
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
      env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' },
    },
  );
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()));
  const close = async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(socketPath, { force: true });
  };
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = () => reject(new Error(`Port ${port} of the sandbox cannot be reached.`));
      const timer = setTimeout(fail, READY_TIMEOUT);
      child.stdout.once('data', () => {
        clearTimeout(timer);
        resolve();
      });
      child.once('error', fail);
      child.once('exit', fail);
    });
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return { socketPath, close };
}
