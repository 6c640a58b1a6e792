// Lays out a workspace's folder: home, kubeconfig, commands, start-up file. Knows no sandbox and starts nothing.

import { access, chmod, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { writeInHome } from './home-file.ts';
import { RCFILE } from './rcfile.ts';
import type { Tool } from './types.ts';

export interface ShellFiles {
  home: string;
  bin: string;
  rcfile: string;
}

export interface ShellFilesOptions {
  folder: string;
  /** What `kubectl` in the bin folder points to, as the shell sees it. */
  kubectl?: string;
  tools: readonly Tool[];
}

export async function layOutShellFiles(options: ShellFilesOptions): Promise<ShellFiles> {
  const home = join(options.folder, 'home');
  const bin = join(options.folder, 'bin');
  const rcfile = join(options.folder, 'bashrc');
  await mkdir(home, { recursive: true, mode: 0o700 });
  await chmod(options.folder, 0o700);
  await rm(bin, { recursive: true, force: true });
  await mkdir(bin, { recursive: true, mode: 0o700 });

  if (options.kubectl) await symlink(options.kubectl, join(bin, 'kubectl'));
  for (const tool of options.tools) {
    // A name is a plain word: it becomes a file name.
    if (!/^[a-z][a-z0-9-]*$/.test(tool.name)) throw new Error(`A tool cannot be named "${tool.name}".`);
    await writeFile(join(bin, tool.name), tool.text, { mode: 0o755 });
  }
  await writeFile(rcfile, RCFILE, { mode: 0o600 });
  return { home, bin, rcfile };
}

/** Copies a kubeconfig to `~/.kube/config` (0600), with the address at which the shell reaches the API server. */
export async function writeKubeconfig(home: string, source: string, server?: string): Promise<void> {
  const text = await readFile(source, 'utf8');
  await writeInHome(home, KUBECONFIG, server ? withServer(text, server) : text, 0o600);
}

/** Whether somebody took `~/.kube/config` away: `rm -rf ~` does. */
export const lacksKubeconfig = (home: string): Promise<boolean> =>
  access(join(home, KUBECONFIG)).then(
    () => false,
    () => true,
  );

const KUBECONFIG = '.kube/config';

function withServer(text: string, server: string): string {
  const config = parse(text) as { clusters?: { cluster?: { server?: string } }[] };
  for (const entry of config.clusters ?? []) if (entry.cluster) entry.cluster.server = server;
  return stringify(config, { lineWidth: 0 });
}
