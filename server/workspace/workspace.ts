// Opens one learner's workspace: its files, and walls around its shells where the machine can raise them. Knows no terminal.

import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { enterArgs, INSIDE, kubectlInside, raiseWalls } from './bwrap.ts';
import { listensHere, listensInside } from './listens.ts';
import { openRelay } from './relay.ts';
import { lacksKubeconfig, layOutShellFiles, writeKubeconfig } from './shell-files.ts';
import type { Workspace, WorkspaceOptions } from './types.ts';

const ENDED = 'The sandbox has ended; reset the lab to get a new one.';
const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin';

/** Variables of this server's own start that would only confuse a shell, or tell it what it need not know. */
const NOT_FOR_SHELLS =
  /^(npm_|NODE_|INIT_CWD$|KUBECONFIG$|KBD_|COLOR$|PORT$|BASH_ENV$|ENV$|PROMPT_COMMAND$|PS[0-4]$)/;

/** Minikube's shells need the machine's docker and network, so they are the learner's own; practice shells get walls. */
export async function openWorkspace(options: WorkspaceOptions): Promise<Workspace> {
  const { sandbox, cluster } = options;
  const walled = sandbox.tier === 'bwrap' && cluster.kind === 'practice' && cluster.socketPath !== undefined;
  return walled ? openWalled(options, cluster.socketPath!) : openOwn(options);
}

async function openWalled(options: WorkspaceOptions, socketPath: string): Promise<Workspace> {
  const kubectl = await kubectlInside(options.kubectl);
  const files = await layOutShellFiles({
    folder: options.folder,
    kubectl: kubectl.shown,
    tools: options.tools ?? [],
  });
  const walls = await raiseWalls({
    folder: options.folder,
    files,
    sandbox: options.sandbox,
    socketPath,
    nodeSocketPath: options.cluster.nodeSocketPath,
    kubectl: kubectl.bind,
    node: (options.tools ?? []).length > 0 ? process.execPath : undefined,
  });
  const kubeconfig = kubeconfigOf(files.home, options.cluster.kubeconfig, walls.server);
  await kubeconfig('always');
  return {
    home: files.home,
    tier: 'bwrap',
    writeKubeconfig: kubeconfig,
    shell: () => {
      if (walls.pid === undefined) throw new Error(ENDED);
      const nonce = newNonce();
      return {
        file: 'nsenter',
        args: enterArgs(walls.pid, ['bash', '--rcfile', INSIDE.rcfile, '-i']),
        cwd: '/',
        shownCwd: INSIDE.home,
        nonce,
        env: {
          ...commonEnv(INSIDE.home, nonce),
          ...options.cluster.env,
          PATH: `${INSIDE.bin}:${SYSTEM_PATH}`,
          USER: 'learner',
          LOGNAME: 'learner',
          SHELL: '/bin/bash',
          LANG: 'C.UTF-8',
          KBD_NODE: INSIDE.node,
          KBD_PROMPT: 'learner@minikube',
        },
      };
    },
    relay: async (port, socketPath) => {
      if (walls.pid === undefined) throw new Error(ENDED);
      return openRelay(walls.pid, port, socketPath);
    },
    listens: async port => walls.pid !== undefined && listensInside(walls.pid, port),
    close: () => walls.close(),
  };
}

async function openOwn(options: WorkspaceOptions): Promise<Workspace> {
  const files = await layOutShellFiles({
    folder: options.folder,
    kubectl: options.kubectl,
    // The stand-ins for minikube and docker belong to the practice cluster alone.
    tools: options.cluster.kind === 'practice' ? (options.tools ?? []) : [],
  });
  const kubeconfig = kubeconfigOf(files.home, options.cluster.kubeconfig);
  await kubeconfig('always');
  return {
    home: files.home,
    tier: 'none',
    writeKubeconfig: kubeconfig,
    shell: () => {
      const nonce = newNonce();
      const own = Object.fromEntries(
        Object.entries(process.env).filter(
          (entry): entry is [string, string] => entry[1] !== undefined && !NOT_FOR_SHELLS.test(entry[0]),
        ),
      );
      return {
        file: 'bash',
        args: ['--rcfile', files.rcfile, '-i'],
        cwd: files.home,
        shownCwd: files.home,
        nonce,
        env: {
          ...own,
          // With another HOME these would start from nothing; the learner's own minikube and docker are meant.
          MINIKUBE_HOME: own['MINIKUBE_HOME'] ?? homedir(),
          DOCKER_CONFIG: own['DOCKER_CONFIG'] ?? join(homedir(), '.docker'),
          ...commonEnv(files.home, nonce),
          ...options.cluster.env,
          PATH: [files.bin, own['PATH'] ?? SYSTEM_PATH].join(delimiter),
          KBD_NODE: process.execPath,
        },
      };
    },
    listens: listensHere,
    close: async () => {},
  };
}

function kubeconfigOf(home: string, source: string, server?: string): Workspace['writeKubeconfig'] {
  return async when => {
    if (when === 'always' || (await lacksKubeconfig(home))) await writeKubeconfig(home, source, server);
  };
}

function commonEnv(home: string, nonce: string): Record<string, string> {
  return {
    HOME: home,
    TERM: 'xterm-256color',
    COLORTERM: 'truecolor',
    KUBECONFIG: `${home}/.kube/config`,
    KUBECACHEDIR: `${home}/.kube/cache`,
    KBD_NONCE: nonce,
  };
}

function newNonce(): string {
  return randomBytes(12).toString('hex');
}
