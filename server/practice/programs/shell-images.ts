// Images whose program is whatever command they are given: busybox, alpine, curl and other images with a shell.
// Knows how a command becomes a container's life, not how commands work.

import { parseReference } from './reference.ts';
import { hasCommand, profileOf } from './shell/profiles.ts';
import type { Container, Program } from './types.ts';

/** Runs the container's command in the shell. As PID 1 it ignores SIGTERM unless the script traps it. */
export async function runAsShell(container: Container): Promise<number> {
  container.use({ cpuMillis: 0, memoryBytes: 800 * 1024 });
  const { runCommandLine } = await import('./shell/index.ts');
  const own = container.pod['spec'];
  const spec = [
    ...(own.containers ?? []),
    ...(own.initContainers ?? []),
    ...(own.ephemeralContainers ?? []),
  ].find((c: any) => c.name === container.name);
  let onTerm = () => {};
  container.signal.addEventListener('abort', () => onTerm(), { once: true });
  return runCommandLine(
    container,
    container.argv,
    {
      stdout: chunk => container.write(textOf(chunk)),
      stderr: chunk => container.write(textOf(chunk), 'stderr'),
      ...(container.stdin ? { stdin: container.stdin } : {}),
      signal: container.killed,
      tty: spec?.tty === true,
    },
    {
      main: true,
      onSession: session => {
        onTerm = () => {
          if (session.signalled()) session.interrupt();
        };
      },
    },
  );
}

/** A shell command instead of the image's own server runs as such; undefined when the server itself is meant. */
export function otherCommand(container: Container, own: string[]): Promise<number> | undefined {
  const name = (container.argv[0] ?? '').split('/').pop() ?? '';
  return own.includes(name) ? undefined : runAsShell(container);
}

const textOf = (chunk: string | Uint8Array) =>
  typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');

function shellImage(
  image: string,
  entrypoint: string[] | undefined,
  cmd: string[],
  more: Program['config'] = {},
): Program {
  const profile = profileOf(parseReference(image).repository)!;
  return {
    image,
    config: { ...(entrypoint ? { entrypoint } : {}), cmd, env: { PATH: profile.path }, ...more },
    has: executable => hasCommand(profile, executable),
    run: runAsShell,
  };
}

export const shellImages: readonly Program[] = [
  shellImage('docker.io/library/busybox', undefined, ['sh']),
  shellImage('docker.io/library/alpine', undefined, ['/bin/sh']),
  shellImage('docker.io/curlimages/curl', ['curl'], ['--help'], { user: '100' }),
  shellImage('docker.io/library/ubuntu', undefined, ['/bin/bash']),
  shellImage('docker.io/library/debian', undefined, ['bash']),
  shellImage('docker.io/nicolaka/netshoot', undefined, ['sh']),
  shellImage('docker.io/alpine/k8s', undefined, ['bash']),
];
