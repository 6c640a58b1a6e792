// The walls: one bubblewrap for each workspace, which all its shells enter, so that they share one network. Knows no pty.
//
// Inside is a read-only /usr, a few files of /etc, the workspace's home, and a loopback network on which forwarders carry
// connections to the cluster's two sockets: its API, and the open ports of its node. Nothing else of the machine: no home
// of the user, no network, no other process.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { lstat, mkdir, readlink, realpath, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ShellFiles } from './shell-files.ts';
import type { Sandbox } from './types.ts';

export const INSIDE = {
  home: '/home/learner',
  bin: '/opt/kubeflow-by-doing/bin',
  rcfile: '/opt/kubeflow-by-doing/bashrc',
  node: '/opt/kubeflow-by-doing/node',
  forwarder: '/opt/kubeflow-by-doing/forward.mjs',
  socket: '/run/kubeflow-by-doing/cluster.sock',
  nodePorts: '/opt/kubeflow-by-doing/node-ports.mjs',
  nodeSocket: '/run/kubeflow-by-doing/node.sock',
  kubectl: '/opt/kubectl',
} as const;

/** minikube's own address on its docker network; inside, it is the loopback's second name. */
const CLUSTER_ADDRESS = '192.168.49.2';
const CLUSTER_PORT = 8443;
const UID = '1000';
const HOST = 'minikube';
/** Where the system has its programs; nothing of the server's own environment. */
const SYSTEM_ENV = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' };
/** Until the forwarder listens, in milliseconds. */
const READY_TIMEOUT = 10_000;

/** What a shell needs of /etc; passwd and its like are written, not shown. */
const ETC = [
  'alternatives',
  'bash_completion.d',
  'bash_completion',
  'inputrc',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'nanorc',
  'profile.d/bash_completion.sh',
  'ssl/certs',
  'terminfo',
  'vim',
];
/**
 * No /dev/pts: the machine's would show the terminals of others, and one of its own makes bubblewrap nest user namespaces,
 * which nobody but root can then enter. Programs open /dev/tty; only `tty` itself and tmux miss the name.
 */
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];

export interface Walls {
  /** Process id that stands for the sandbox; undefined when it has ended. */
  readonly pid: number | undefined;
  /** Address of the API server as the shells see it. */
  readonly server: string;
  close(): Promise<void>;
}

export interface WallsOptions {
  folder: string;
  files: ShellFiles;
  sandbox: Sandbox;
  socketPath: string;
  /** Where the open ports of the cluster's node are reached. */
  nodeSocketPath: string | undefined;
  /** The real kubectl binary, when it lies outside /usr. */
  kubectl?: string;
  /** Lets the tools in the bin folder run on this server's Node. */
  node?: string;
}

/** Resolves when shells can enter and the cluster can be reached. Rejects with a sentence. */
export async function raiseWalls(options: WallsOptions): Promise<Walls> {
  const child = startBwrap(
    [...(await systemArgs()), ...(await etcArgs(options.folder)), ...workspaceArgs(options)],
    startScript(options),
  );
  const closing = new Promise<void>(resolve => child.once('close', () => resolve()));
  try {
    const { pid, address } = await entered(child);
    let ended = false;
    child.once('exit', () => {
      ended = true;
    });
    return {
      get pid() {
        return ended ? undefined : pid;
      },
      server: `https://${address}:${CLUSTER_PORT}`,
      close: async () => {
        child.kill('SIGKILL');
        await closing;
      },
    };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

/** Raises walls with nothing in them and enters them once: a kernel may refuse either. Rejects with what it said. */
export async function tryWalls(): Promise<void> {
  const child = startBwrap(
    [...(await systemArgs()), '--dir', INSIDE.home],
    'echo "ready here"; exec sleep 20',
  );
  try {
    const { pid } = await entered(child);
    await promisify(execFile)('nsenter', enterArgs(pid, ['true']), { env: SYSTEM_ENV });
  } finally {
    child.kill('SIGKILL');
  }
}

function startBwrap(args: readonly string[], script: string): ChildProcess {
  const child = spawn(
    'bwrap',
    // Through a pipe: on the command line every process inside could read where things lie on this machine.
    ['--args', '4', '--info-fd', '3', '/bin/sh', '-c', script],
    // Its own process group: Ctrl-C in the server's terminal must reach the server first.
    { stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'], detached: true, env: SYSTEM_ENV },
  );
  const feed = child.stdio[4] as Writable;
  // When it ends before it has read them, `entered` says why.
  feed.on('error', () => {});
  feed.end(args.map(arg => `${arg}\0`).join(''));
  return child;
}

/** The command that puts a process into the sandbox: without capabilities, and unable to gain any. */
export function enterArgs(pid: number, shell: readonly string[]): string[] {
  return [
    '--preserve-credentials',
    `--target=${pid}`,
    '--user',
    '--mount',
    '--net',
    '--ipc',
    '--uts',
    '--pid',
    '--',
    'setpriv',
    '--no-new-privs',
    '--',
    'env',
    `--chdir=${INSIDE.home}`,
    ...shell,
  ];
}

async function systemArgs(): Promise<string[]> {
  const args = [
    '--unshare-user',
    '--unshare-pid',
    '--unshare-net',
    '--unshare-ipc',
    '--unshare-uts',
    '--unshare-cgroup-try',
    '--uid',
    UID,
    '--gid',
    UID,
    '--hostname',
    HOST,
    '--die-with-parent',
    '--new-session',
    // For the holder alone, to give the loopback its second address and to listen there on ports such as 80; shells enter
    // without capabilities.
    '--cap-add',
    'CAP_NET_ADMIN',
    '--cap-add',
    'CAP_NET_BIND_SERVICE',
    '--ro-bind',
    '/usr',
    '/usr',
    '--tmpfs',
    '/tmp',
    '--tmpfs',
    '/run',
    '--tmpfs',
    '/var',
    '--dir',
    '/var/tmp',
    '--proc',
    '/proc',
    // Where the server runs as root, the kernel's settings in it are the shell's to write: no capability is asked for.
    '--remount-ro',
    '/proc',
    '--tmpfs',
    '/dev',
    '--tmpfs',
    '/dev/shm',
  ];
  for (const folder of ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32']) {
    const path = `/${folder}`;
    const entry = await lstat(path).catch(() => undefined);
    if (entry?.isSymbolicLink()) args.push('--symlink', await readlink(path), path);
    else if (entry?.isDirectory()) args.push('--ro-bind', path, path);
  }
  for (const device of DEVICES) args.push('--dev-bind', `/dev/${device}`, `/dev/${device}`);
  args.push('--symlink', '/proc/self/fd', '/dev/fd');
  for (const [index, name] of ['stdin', 'stdout', 'stderr'].entries()) {
    args.push('--symlink', `/proc/self/fd/${index}`, `/dev/${name}`);
  }
  return args;
}

async function etcArgs(folder: string): Promise<string[]> {
  const etc = join(folder, 'etc');
  await mkdir(etc, { recursive: true, mode: 0o700 });
  const files: Record<string, string> = {
    passwd: `learner:x:${UID}:${UID}:learner:${INSIDE.home}:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n`,
    group: `learner:x:${UID}:\nnogroup:x:65534:\n`,
    hosts: `127.0.0.1 localhost\n::1 localhost\n${CLUSTER_ADDRESS} control-plane.minikube.internal\n127.0.1.1 ${HOST}\n`,
    hostname: `${HOST}\n`,
    'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\n',
    'resolv.conf': '# This shell reaches no name server.\n',
  };
  const args: string[] = [];
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(etc, name), text);
    args.push('--ro-bind', join(etc, name), `/etc/${name}`);
  }
  for (const name of ETC) args.push('--ro-bind-try', `/etc/${name}`, `/etc/${name}`);
  return args;
}

function workspaceArgs(options: WallsOptions): string[] {
  const args = [
    '--bind',
    options.files.home,
    INSIDE.home,
    '--ro-bind',
    options.files.bin,
    INSIDE.bin,
    '--ro-bind',
    options.files.rcfile,
    INSIDE.rcfile,
    '--bind',
    options.socketPath,
    INSIDE.socket,
  ];
  if (options.kubectl)
    args.push('--ro-bind', options.kubectl, `${INSIDE.kubectl}/${basename(options.kubectl)}`);
  const { nodeSocketPath } = options;
  const needed = options.sandbox.forwarder === 'node' || nodeSocketPath !== undefined;
  const node = options.node ?? (needed ? process.execPath : undefined);
  if (node) args.push('--ro-bind', node, INSIDE.node);
  if (options.sandbox.forwarder === 'node') {
    args.push('--ro-bind', fileURLToPath(new URL('forward.mjs', import.meta.url)), INSIDE.forwarder);
  }
  if (nodeSocketPath !== undefined) {
    args.push('--bind', nodeSocketPath, INSIDE.nodeSocket);
    args.push('--ro-bind', fileURLToPath(new URL('node-ports.mjs', import.meta.url)), INSIDE.nodePorts);
  }
  return [...args, '--chdir', INSIDE.home];
}

/**
 * Gives the loopback minikube's address where `ip` is installed, then forwards until the sandbox ends. Without that address
 * no port of the node is opened: on 127.0.0.1 they would be in the way of the learner's own.
 */
function startScript({ sandbox, nodeSocketPath }: WallsOptions): string {
  const forward =
    sandbox.forwarder === 'socat'
      ? `exec socat TCP-LISTEN:${CLUSTER_PORT},fork,reuseaddr,backlog=64 UNIX-CONNECT:${INSIDE.socket}`
      : `exec ${INSIDE.node} ${INSIDE.forwarder} ${CLUSTER_PORT} ${INSIDE.socket}`;
  const only = 'all,+net_bind_service';
  const nodePorts =
    nodeSocketPath === undefined
      ? ''
      : `[ $address = 127.0.0.1 ] || setpriv --inh-caps=-${only} --ambient-caps=-${only} -- ${INSIDE.node} --max-semi-space-size=1 ${INSIDE.nodePorts} $address ${INSIDE.nodeSocket} >/dev/null 2>&1 &`;
  return `address=127.0.0.1; ip addr add ${CLUSTER_ADDRESS}/32 dev lo && address=${CLUSTER_ADDRESS}; echo "ready $address"; ${nodePorts} ${forward}`;
}

/** Reads the sandbox's process id, waits until its script runs; rejects with what bubblewrap said. */
function entered(child: ChildProcess): Promise<{ pid: number; address: string }> {
  return new Promise((resolve, reject) => {
    let info = '';
    let said = '';
    let out = '';
    const fail = (why: string) => {
      clearTimeout(timer);
      reject(
        new Error(`The sandbox did not start: ${(said.trim().split('\n').at(-1) || why).slice(0, 300)}`),
      );
    };
    const timer = setTimeout(() => fail('it took too long'), READY_TIMEOUT);
    child.once('error', error => fail(error.message));
    child.once('exit', code => fail(`bubblewrap ended with ${code}`));
    child.stderr?.on('data', chunk => {
      said = (said + chunk).slice(-2000);
    });
    // Two pipes, in either order.
    const look = () => {
      const address = /ready (\S+)\n/.exec(out)?.[1];
      const pid = Number(/"child-pid":\s*(\d+)/.exec(info)?.[1]);
      if (!address || !pid) return;
      clearTimeout(timer);
      child.removeAllListeners('exit');
      resolve({ pid, address });
    };
    (child.stdio[3] as NodeJS.ReadableStream).on('data', chunk => {
      info += chunk;
      look();
    });
    child.stdout?.on('data', chunk => {
      out += chunk;
      look();
    });
  });
}

/** A kubectl outside /usr is bound alone: its real file, not the link or shim on the PATH. */
export async function kubectlInside(kubectl: string | undefined): Promise<{ bind?: string; shown?: string }> {
  if (!kubectl) return {};
  const real = await realpath(kubectl);
  if (real.startsWith('/usr/')) return { shown: real };
  return { bind: real, shown: `${INSIDE.kubectl}/${basename(real)}` };
}
