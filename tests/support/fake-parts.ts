// Stand-ins for what is behind a session, for tests of the parts before it: a cluster that echoes, a lab that only listens.

import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { AttemptView } from '#common/protocol/index.ts';
import type { AttachedCluster, ClusterProvider } from '../../server/cluster/index.ts';
import type { Attempt, AttemptEvent, AttemptOptions } from '../../server/lab/types.ts';
import type { LabModule } from '../../server/session/index.ts';

/** A "cluster" whose socket answers each connection with `hello\n`; enough to see that a sandbox reaches it. */
export function helloProvider(
  kind: 'practice' | 'minikube' = 'practice',
): ClusterProvider & { attached: number; resets: number } {
  const provider = {
    kind,
    attached: 0,
    resets: 0,
    available: async () => [
      {
        kind,
        state: 'available' as const,
        note: { 'zh-TW': '測試', en: 'test' },
        ...(kind === 'minikube' ? { profile: 'minikube' } : {}),
      },
    ],
    attach: async (folder: string): Promise<AttachedCluster> => {
      const socketPath = join(folder, 'cluster.sock');
      const server: Server = createServer(socket => {
        socket.on('error', () => {});
        socket.resume();
        socket.end('hello\n');
      });
      await new Promise<void>(resolve => server.listen(socketPath, resolve));
      const kubeconfig = join(folder, 'kubeconfig');
      await writeFile(kubeconfig, KUBECONFIG, { mode: 0o600 });
      provider.attached++;
      return {
        kubeconfig,
        env: {},
        ...(kind === 'practice' ? { socketPath } : {}),
        server: { host: '127.0.0.1', port: 1 },
        detach: async () => {
          provider.attached--;
          await new Promise(resolve => server.close(resolve));
        },
      };
    },
    reset: async () => {
      provider.resets++;
    },
  };
  return provider;
}

const KUBECONFIG = `apiVersion: v1
kind: Config
current-context: minikube
clusters: [{ name: minikube, cluster: { server: "https://127.0.0.1:1" } }]
users: [{ name: minikube, user: { token: secret } }]
contexts: [{ name: minikube, context: { cluster: minikube, user: minikube } }]
`;

export interface ListeningLab extends LabModule {
  options: AttemptOptions[];
  emit(event: AttemptEvent): void;
  view: AttemptView;
}

/** A lab with one step that passes when told to. */
export function listeningLab(kinds?: ('practice' | 'minikube')[]): ListeningLab {
  const listeners = new Set<(event: AttemptEvent) => void>();
  const lab: ListeningLab = {
    options: [],
    view: {
      lab: 'any',
      title: { 'zh-TW': '任一', en: 'Any' },
      minutes: 1,
      status: 'running',
      startedAt: '2026-11-23T23:10:00.000Z',
      steps: [],
    },
    emit: event => {
      for (const listener of listeners) listener(event);
    },
    loadLab: (_, id) => {
      if (id === 'none') throw new Error(`there is no lab ${id}`);
      return { id, definition: { cluster: kinds ? { kinds } : {} } };
    },
    openAttempt: (options): Attempt => {
      lab.options.push(options);
      return {
        view: () => lab.view,
        subscribe: listener => {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
        answer: async () => undefined,
        compare: async () => ({ loss: { objects: [], files: [] }, undo: true }),
        hint: step =>
          lab.emit({
            type: 'step',
            step: {
              id: step,
              task: { 'zh-TW': '', en: '' },
              state: 'open',
              checks: [],
              hints: [],
              hintsLeft: 0,
            },
          }),
        rewind: async () => undefined,
        undo: async () => undefined,
        solution: async () => undefined,
        reset: async () => options.cluster.reset?.(),
        close: async () => {},
        ready: Promise.resolve(),
      };
    },
  };
  return lab;
}
