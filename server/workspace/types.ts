// The learner's folder and the walls around it, as the rest of the server sees them. Knows no terminal and no lab.

import type { Text } from '#common/protocol/index.ts';

export type SandboxTier = 'bwrap' | 'none';

/** What can be used on this machine, found out once at start by trying it. */
export interface Sandbox {
  tier: SandboxTier;
  note: Text;
  /** What carries connections from inside to the cluster's socket; `node` where socat is not installed. */
  forwarder: 'socat' | 'node';
}

/** How to start a shell in a workspace; a terminal turns this into a pty. */
export interface ShellCommand {
  file: string;
  args: string[];
  cwd: string;
  env: Record<string, string>;
  /** What the shell puts into each of its marks, so that printed text cannot pretend to be one. */
  nonce: string;
  /** The folder the shell starts in, as the shell sees it. */
  shownCwd: string;
}

/** What a workspace needs of the cluster behind it. */
export interface WorkspaceCluster {
  kind: 'practice' | 'minikube';
  /** A kubeconfig that works from this server; the shell gets a copy, with the address it can reach. */
  kubeconfig: string;
  socketPath?: string;
  /** Leads to the ports of the cluster's node: `node-ports.mjs` says how it is spoken to. */
  nodeSocketPath?: string;
  env: Record<string, string>;
}

/** A command that only exists in the learner's shell: an executable text, `#!` line included. */
export interface Tool {
  name: string;
  text: string;
}

export interface WorkspaceOptions {
  /** Everything of this workspace lies below it (0700). */
  folder: string;
  sandbox: Sandbox;
  /** Where kubectl is; without it the shell has none. */
  kubectl?: string;
  cluster: WorkspaceCluster;
  tools?: readonly Tool[];
}

/** A way to one port of a sandbox's loopback. */
export interface Relay {
  /** A unix socket; each connection to it is one to the port. */
  socketPath: string;
  close(): Promise<void>;
}

export interface Workspace {
  /** The learner's home as the server sees it; `~` in labs is this. Everything the learner makes is below it. */
  readonly home: string;
  readonly tier: SandboxTier;
  /** Throws with a sentence when the sandbox has ended. */
  shell(): ShellCommand;
  /** Writes `~/.kube/config` as it was at first: whatever the learner made of it, or only where it is gone. */
  writeKubeconfig(when: 'always' | 'gone'): Promise<void>;
  /** Opens a way to a port of the shells' own loopback, through a unix socket; absent where that is the machine's. */
  relay?(port: number, socketPath: string): Promise<Relay>;
  /** Whether a program listens on this port of the shells' own 127.0.0.1. It does not notice. */
  listens(port: number): Promise<boolean>;
  /** Ends everything that runs in it. The files stay. */
  close(): Promise<void>;
}
