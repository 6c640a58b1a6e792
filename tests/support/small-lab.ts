// A small lab in folders of its own and a practice cluster to try it on. Knows no test.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before } from 'node:test';
import type { StepView } from '#common/protocol/index.ts';
import { type KubeApi, openKubeApi } from '../../server/check/index.ts';
import { realClock } from '../../server/clock.ts';
import { type Attempt, type AttemptOptions, openAttempt } from '../../server/lab/index.ts';
import { startPracticeWorker, type WorkerCluster } from '../../server/practice/index.ts';
import { openProgress } from '../../server/progress/index.ts';

export const SMALL_LAB = `
title: { zh-TW: 小實驗, en: A small lab }
minutes: 1
steps:
  - id: make-it
    task: { zh-TW: 做, en: Make it }
    hints: [{ zh-TW: 一, en: One }, { zh-TW: 二, en: Two }]
    checks:
      - resource: { ref: { kind: ConfigMap, namespace: default, name: greeting }, match: { data: { text: hello } } }
      - id: reply
        answer: { prompt: { zh-TW: 是什麼？, en: What is it? }, equals: { from: { kind: ConfigMap, name: greeting }, path: data.text } }
  - id: keep-it
    task: { zh-TW: 留, en: Keep it }
    hints: [{ zh-TW: 一, en: One }]
    checks:
      - resource: { ref: { kind: ConfigMap, namespace: default, name: greeting }, match: { metadata: { labels: { keep: 'yes' } } } }
learned: [{ zh-TW: 學到了, en: Learned }]
`;

export const CONFIGMAPS = '/api/v1/namespaces/default/configmaps';

/** Everything is there from the file's first test to its last. */
export function useSmallLab() {
  const clock = realClock();
  const folder = mkdtempSync(join(tmpdir(), 'attempt-'));
  const kubeconfig = join(folder, 'kubeconfig');
  const home = join(folder, 'home');
  const progress = openProgress({ file: join(folder, 'progress.db'), clock });
  let cluster: WorkerCluster;
  let api: KubeApi;

  before(async () => {
    const file = join(folder, 'labs/small/lab.yaml');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, SMALL_LAB);
    mkdirSync(home);
    mkdirSync(join(folder, 'labs/small/solution'));
    writeFileSync(
      join(folder, 'labs/small/solution/01-make-it.sh'),
      'kubectl create configmap greeting \\\n  --from-literal=text=hello\n# answer: reply = hello\n',
    );
    cluster = await startPracticeWorker({
      nodes: [{ name: 'minikube', cpus: '2', memory: '4Gi' }],
      listen: { port: 0 },
    });
    writeFileSync(kubeconfig, cluster.kubeconfig(`https://127.0.0.1:${cluster.port}`));
    api = await openKubeApi(kubeconfig);
  });
  after(async () => {
    api.close();
    progress.close();
    await cluster.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function open(prepared: boolean, more: Partial<AttemptOptions> = {}): Attempt {
    return openAttempt({
      lab: 'small',
      labs: join(folder, 'labs'),
      cluster: { kind: 'practice', kubeconfig },
      commands: { recent: () => [], subscribe: () => () => {} },
      home,
      progress,
      clock,
      prepared,
      ...more,
    });
  }

  /** A cluster that can be kept, as the practice provider gives it to a session. */
  const keeping = (): AttemptOptions['cluster'] => ({
    kind: 'practice',
    kubeconfig,
    snapshot: () => cluster.snapshot(),
    restore: snapshot => cluster.restore(snapshot),
  });
  const there = async (name: string) => (await api.request('GET', `${CONFIGMAPS}/${name}`)).status === 200;

  const step = (attempt: Attempt, id: string) =>
    attempt.view().steps.find(candidate => candidate.id === id) as StepView;

  /** Resolves once the attempt looks so; told by its events, not by looking again and again. */
  function until(attempt: Attempt, holds: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      if (holds()) return resolve();
      const timer = setTimeout(() => reject(new Error(JSON.stringify(attempt.view(), null, 1))), 20_000);
      const stop = attempt.subscribe(() => {
        if (!holds()) return;
        clearTimeout(timer);
        stop();
        resolve();
      });
    });
  }

  const make = (name: string, text: string) =>
    api.request('POST', CONFIGMAPS, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name },
      data: { text },
    });
  /** The first look at a step tells what was so before anything was done for it. */
  const looked = (attempt: Attempt) =>
    until(attempt, () => step(attempt, 'make-it').checks[0]?.said !== undefined);
  const remove = (name: string) => api.request('DELETE', `${CONFIGMAPS}/${name}`);

  return {
    clock,
    folder,
    kubeconfig,
    home,
    progress,
    request: (...asked: Parameters<KubeApi['request']>) => api.request(...asked),
    open,
    keeping,
    there,
    step,
    until,
    make,
    looked,
    remove,
  };
}
