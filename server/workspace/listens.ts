// Tells whether a port of a loopback is listened on, without connecting to it: a program would notice. Knows no sandbox.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';

/** Linux's code for a socket that listens. */
const LISTENING = '0A';

/** In the network of a process of ours, as its table of sockets says. */
export async function listensInside(pid: number, port: number): Promise<boolean> {
  const table = await readFile(`/proc/${pid}/net/tcp`, 'utf8').catch(() => '');
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return table.split('\n').some(line => {
    const [, local = '', , state] = line.trim().split(/\s+/);
    return state === LISTENING && (local === `0100007F:${wanted}` || local === `00000000:${wanted}`);
  });
}

/** On this machine: a port that can be had is nobody's. */
export function listensHere(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const probe = createServer();
    probe.once('error', error => resolve((error as NodeJS.ErrnoException).code === 'EADDRINUSE'));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(false)));
  });
}
