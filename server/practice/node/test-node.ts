// One node with a fake API and a fake clock, and a small vocabulary for tests of pod lives.

import type { TestContext } from 'node:test';
import { fakeClock } from '../../clock.ts';
import { seededRandom } from '../../random.ts';
import { FakeApi } from './fake-api.ts';
import { createNodes } from './index.ts';
import type { PullLimit } from './registries.ts';
import { EVENTS, PODS } from './resources.ts';

const NAMESPACE = 'life';

export async function testNode(
  t: TestContext,
  options: { cpus?: string; memory?: string; disk?: string; pullLimit?: PullLimit } = {},
) {
  const clock = fakeClock();
  const api = new FakeApi(clock);
  const faults: string[] = [];
  const nodes = createNodes({
    nodes: [
      {
        name: 'minikube',
        cpus: options.cpus ?? '2',
        memory: options.memory ?? '4Gi',
        ...(options.disk ? { disk: options.disk } : {}),
      },
    ],
    clock,
    random: seededRandom(1),
    clientFor: () => api,
    ...(options.pullLimit ? { pullLimit: options.pullLimit } : {}),
    preloaded: ['docker.io/library/busybox:1.35'],
    onFault: (where, error) => faults.push(`${where}: ${error instanceof Error ? error.stack : error}`),
  });
  t.after(() => nodes.stop());
  await nodes.start();
  /** Creates a pod bound to the node, with the defaults that an API server would add. */
  const run = async (name: string, spec: any, metadata: any = {}, qosClass = 'BestEffort') => {
    const defaulted = (c: any) => ({ imagePullPolicy: 'IfNotPresent', ...c });
    await api.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: NAMESPACE, generation: 1, ...metadata },
      spec: {
        restartPolicy: 'Always',
        terminationGracePeriodSeconds: 30,
        nodeName: 'minikube',
        automountServiceAccountToken: false,
        ...spec,
        containers: spec.containers.map(defaulted),
        ...(spec.initContainers ? { initContainers: spec.initContainers.map(defaulted) } : {}),
      },
      status: { phase: 'Pending', qosClass },
    });
  };
  const pod = async (name: string): Promise<any> => api.get(PODS, { namespace: NAMESPACE, name });
  const events = async (name: string): Promise<string[]> =>
    (await api.list(EVENTS)).items
      .filter((e: any) => e.involvedObject.name === name)
      .map((e: any) => `${e.type} ${e.reason} ${e.message}${e.count > 1 ? ` x${e.count}` : ''}`);
  const log = async (name: string, more: any = {}): Promise<string> => {
    let text = '';
    const signal = new AbortController().signal;
    for await (const chunk of nodes.kubelet.logs(NAMESPACE, name, { container: 'c', ...more }, signal))
      text += Buffer.from(chunk).toString('utf8');
    return text;
  };
  /** `input` comes in pieces, one after the other; on a terminal nothing ends it. */
  const exec = async (name: string, command: string[], input?: string | string[], { tty = false } = {}) => {
    let out = '';
    let err = '';
    const running = nodes.kubelet.exec(
      NAMESPACE,
      name,
      { container: 'c', command, tty, stdin: input !== undefined },
      {
        onStdin: listener => {
          for (const [index, piece] of [input ?? []].flat().entries())
            clock.after(index * 300, () => listener(Buffer.from(piece)));
        },
        onStdinEnd: listener => {
          if (!tty) clock.after([input ?? []].flat().length * 300, listener);
        },
        onResize: () => {},
        signal: new AbortController().signal,
        stdout: chunk => {
          out += Buffer.from(chunk).toString('utf8');
        },
        stderr: chunk => {
          err += Buffer.from(chunk).toString('utf8');
        },
      },
    );
    let settled = false;
    const done = running.finally(() => {
      settled = true;
    });
    done.catch(() => undefined);
    for (let i = 0; i < 50 && !settled; i++) await clock.advance(100);
    return { code: await done, out, err };
  };
  /** Lets time pass in small steps: shells yield to the machine between commands, which one step does not wait for. */
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 100) await clock.advance(Math.min(100, left));
  };
  return { pass, clock, api, nodes, run, pod, events, log, exec, faults };
}
