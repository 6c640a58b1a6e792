// Whole lives of pods as data: what is run, what happens to it, and every state that shows in its status, second by second.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PODS } from './resources.ts';
import { testNode } from './test-node.ts';

interface Life {
  title: string;
  spec: any;
  seconds: number;
  /** Seconds after the start at which the pod is deleted. */
  deletedAt?: number;
  /** `second: phase container=state(reason) …`, one a change; READY says that the pod is. */
  states: string[];
  /** Warnings and killings that the kubelet tells of; default: none. */
  events?: string[];
}

const IMAGE = 'docker.io/library/busybox:1.35';
const sh = (name: string, script: string, more: object = {}) => ({
  name,
  image: IMAGE,
  command: ['sh', '-c', script],
  ...more,
});
const stay = 'trap "exit 0" TERM; sleep 3600 & wait';
const probe = (script: string, more: object = {}) => ({
  exec: { command: ['sh', '-c', script] },
  periodSeconds: 1,
  failureThreshold: 2,
  ...more,
});

const LIVES: Life[] = [
  {
    title: 'init containers run one after the other, and the pod starts after the last',
    spec: { initContainers: [sh('a', 'sleep 2'), sh('b', 'sleep 2')], containers: [sh('c', stay)] },
    seconds: 8,
    states: [
      '0.5: Pending a=running, b=waiting(PodInitializing), c=waiting(PodInitializing)',
      '2.5: Pending a=terminated(Completed 0) ready, b=running, c=waiting(PodInitializing)',
      '4.5: Running READY a=terminated(Completed 0) ready, b=terminated(Completed 0) ready, c=running ready',
    ],
  },
  {
    title: 'a failing init container is tried again and holds the rest back',
    spec: { initContainers: [sh('a', 'sleep 1; exit 3')], containers: [sh('c', stay)] },
    seconds: 20,
    states: [
      '0.5: Pending a=running, c=waiting(PodInitializing)',
      '1.5: Pending a=running x1 last(Error 3), c=waiting(PodInitializing)',
      '2.5: Pending a=terminated(Error 3) x1 last(Error 3), c=waiting(PodInitializing)',
      '4: Pending a=waiting(CrashLoopBackOff) x1 last(Error 3), c=waiting(PodInitializing)',
      '12.5: Pending a=running x2 last(Error 3), c=waiting(PodInitializing)',
      '13.5: Pending a=terminated(Error 3) x2 last(Error 3), c=waiting(PodInitializing)',
      '15: Pending a=waiting(CrashLoopBackOff) x2 last(Error 3), c=waiting(PodInitializing)',
    ],
    events: ['Warning BackOff Back-off restarting failed container a in pod p_life(uid-10) x2'],
  },
  {
    title: 'a failing init container ends a pod that never restarts',
    spec: { restartPolicy: 'Never', initContainers: [sh('a', 'exit 3')], containers: [sh('c', stay)] },
    seconds: 3,
    states: ['0.5: Failed a=terminated(Error 3), c=waiting(PodInitializing)'],
  },
  {
    title: 'a sidecar starts first, and ends after the container it serves',
    spec: {
      terminationGracePeriodSeconds: 20,
      initContainers: [
        sh('s', stay, {
          restartPolicy: 'Always',
          startupProbe: probe('test -f /up || { touch /up; exit 1; }'),
        }),
      ],
      containers: [sh('c', 'trap "sleep 3; exit 0" TERM; sleep 3600 & wait')],
    },
    seconds: 16,
    deletedAt: 8,
    states: [
      '0.5: Pending s=running, c=waiting(PodInitializing)',
      '1.5: Running READY s=running ready, c=running ready',
      '11: gone',
    ],
    events: [
      'Warning Unhealthy Startup probe failed: ',
      'Normal Killing Stopping container c',
      'Normal Killing Stopping container s',
    ],
  },
  {
    title: 'a job with a sidecar is done when its own container is',
    spec: {
      restartPolicy: 'Never',
      initContainers: [sh('s', stay, { restartPolicy: 'Always' })],
      containers: [sh('c', 'sleep 3')],
    },
    seconds: 10,
    states: [
      '0.5: Running READY s=running ready, c=running ready',
      '3.5: Succeeded s=terminated(Completed 0), c=terminated(Completed 0)',
    ],
    events: ['Normal Killing Stopping container s'],
  },
  {
    title: 'a preStop hook runs before the signal, within the grace',
    spec: {
      terminationGracePeriodSeconds: 10,
      containers: [sh('c', stay, { lifecycle: { preStop: { exec: { command: ['sleep', '4'] } } } })],
    },
    seconds: 12,
    deletedAt: 3,
    states: ['0.5: Running READY c=running ready', '7: gone'],
    events: ['Normal Killing Stopping container c'],
  },
  {
    title: 'who does not heed SIGTERM is killed when the grace is over',
    spec: { terminationGracePeriodSeconds: 5, containers: [sh('c', 'sleep 3600')] },
    seconds: 12,
    deletedAt: 3,
    states: ['0.5: Running READY c=running ready', '8: gone'],
    events: ['Normal Killing Stopping container c'],
  },
  {
    title: 'memory beyond the limit is OOMKilled',
    spec: {
      restartPolicy: 'Never',
      containers: [
        sh('c', 'a=x; while true; do a=$a$a; done', { resources: { limits: { memory: '16Mi' } } }),
      ],
    },
    seconds: 5,
    states: ['0.5: Failed c=terminated(OOMKilled 137)'],
  },
  {
    title: 'a liveness probe that fails restarts the container at once, and later with a back-off',
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [sh('c', stay, { livenessProbe: probe('exit 1', { initialDelaySeconds: 2 }) })],
    },
    seconds: 30,
    states: [
      '0.5: Running READY c=running ready',
      '3.5: Running READY c=running x1 last(Completed 0) ready',
      '6.5: Running c=terminated(Completed 0) x1 last(Completed 0)',
      '8: Running c=waiting(CrashLoopBackOff) x1 last(Completed 0)',
      '16.5: Running READY c=running x2 last(Completed 0) ready',
      '19.5: Running c=terminated(Completed 0) x2 last(Completed 0)',
      '21: Running c=waiting(CrashLoopBackOff) x2 last(Completed 0)',
    ],
    events: [
      'Warning Unhealthy Liveness probe failed:  x6',
      'Normal Killing Container c failed liveness probe, will be restarted x3',
      'Warning BackOff Back-off restarting failed container c in pod p_life(uid-10) x2',
    ],
  },
  {
    title: 'readiness comes and goes without a restart',
    spec: {
      containers: [
        sh('c', 'sleep 3; touch /ok; sleep 4; rm /ok; sleep 3600', {
          readinessProbe: probe('test -f /ok', { failureThreshold: 1 }),
        }),
      ],
    },
    seconds: 12,
    states: ['0.5: Running c=running', '3.5: Running READY c=running ready', '7.5: Running c=running'],
    events: ['Warning Unhealthy Readiness probe failed:  x8'],
  },
  {
    title: 'until the startup probe succeeds nobody asks whether the container lives',
    spec: {
      containers: [
        sh('c', 'sleep 5; touch /up; sleep 3600', {
          startupProbe: probe('test -f /up', { failureThreshold: 10 }),
          livenessProbe: probe('test -f /up', { failureThreshold: 1 }),
        }),
      ],
    },
    seconds: 12,
    states: ['0.5: Running c=running', '5.5: Running READY c=running ready'],
    events: ['Warning Unhealthy Startup probe failed:  x5'],
  },
  {
    title: 'a startup probe that never succeeds restarts the container',
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [sh('c', stay, { startupProbe: probe('exit 1') })],
    },
    seconds: 6,
    states: [
      '0.5: Running c=running',
      '1.5: Running c=running x1 last(Completed 0)',
      '2.5: Running c=terminated(Completed 0) x1 last(Completed 0)',
      '4: Running c=waiting(CrashLoopBackOff) x1 last(Completed 0)',
    ],
    events: [
      'Warning Unhealthy Startup probe failed:  x4',
      'Normal Killing Container c failed startup probe, will be restarted x2',
      'Warning BackOff Back-off restarting failed container c in pod p_life(uid-10)',
    ],
  },
  {
    title: 'a crash is tried again at once, then after 10, 20, 40, 80, 160 and 300 seconds',
    spec: { containers: [sh('c', 'exit 1')] },
    seconds: 1000,
    states: [
      '0.5: Running c=terminated(Error 1) x1 last(Error 1)',
      '2: Running c=waiting(CrashLoopBackOff) x1 last(Error 1)',
      '10.5: Running c=terminated(Error 1) x2 last(Error 1)',
      '12: Running c=waiting(CrashLoopBackOff) x2 last(Error 1)',
      '30.5: Running c=terminated(Error 1) x3 last(Error 1)',
      '32: Running c=waiting(CrashLoopBackOff) x3 last(Error 1)',
      '71: Running c=terminated(Error 1) x4 last(Error 1)',
      '72.5: Running c=waiting(CrashLoopBackOff) x4 last(Error 1)',
      '151: Running c=terminated(Error 1) x5 last(Error 1)',
      '152.5: Running c=waiting(CrashLoopBackOff) x5 last(Error 1)',
      '311: Running c=terminated(Error 1) x6 last(Error 1)',
      '312.5: Running c=waiting(CrashLoopBackOff) x6 last(Error 1)',
      '611: Running c=terminated(Error 1) x7 last(Error 1)',
      '612.5: Running c=waiting(CrashLoopBackOff) x7 last(Error 1)',
      '911: Running c=terminated(Error 1) x8 last(Error 1)',
      '912.5: Running c=waiting(CrashLoopBackOff) x8 last(Error 1)',
    ],
    events: ['Warning BackOff Back-off restarting failed container c in pod p_life(uid-10) x5'],
  },
  {
    title: 'a container that ends well is restarted only where the policy says Always',
    spec: {
      restartPolicy: 'OnFailure',
      containers: [sh('c', 'sleep 2'), sh('d', 'sleep 1; test -f /tmp/again')],
    },
    seconds: 20,
    states: [
      '0.5: Running READY c=running ready, d=running ready',
      '1.5: Running READY c=running ready, d=running x1 last(Error 1) ready',
      '2.5: Running c=terminated(Completed 0), d=terminated(Error 1) x1 last(Error 1)',
      '4: Running c=terminated(Completed 0), d=waiting(CrashLoopBackOff) x1 last(Error 1)',
      '12.5: Running c=terminated(Completed 0), d=running x2 last(Error 1) ready',
      '13.5: Running c=terminated(Completed 0), d=terminated(Error 1) x2 last(Error 1)',
      '15: Running c=terminated(Completed 0), d=waiting(CrashLoopBackOff) x2 last(Error 1)',
    ],
    events: ['Warning BackOff Back-off restarting failed container d in pod p_life(uid-10) x2'],
  },
];

function stateOf(status: any): string {
  const [[kind, detail] = ['none', {}]] = Object.entries<any>(status.state);
  const reason =
    kind === 'running' ? '' : `(${detail.reason}${kind === 'terminated' ? ` ${detail.exitCode}` : ''})`;
  const last = status.lastState.terminated;
  return `${status.name}=${kind}${reason}${status.restartCount ? ` x${status.restartCount}` : ''}${last ? ` last(${last.reason} ${last.exitCode})` : ''}${status.ready ? ' ready' : ''}`;
}

function shown(pod: any): string {
  const { phase, conditions = [], initContainerStatuses = [], containerStatuses = [] } = pod.status;
  const ready = conditions.some((c: any) => c.type === 'Ready' && c.status === 'True') ? ' READY' : '';
  return `${phase}${ready} ${[...initContainerStatuses, ...containerStatuses].map(stateOf).join(', ')}`;
}

describe('lives of pods', () => {
  for (const life of LIVES) {
    it(life.title, async t => {
      const { api, pass, run, pod, events, faults } = await testNode(t);
      await run('p', life.spec);
      const states: string[] = [];
      for (let tick = 1; tick <= life.seconds * 2; tick++) {
        await pass(500);
        const now = await pod('p').then(shown, () => 'gone');
        if (states.at(-1)?.replace(/^[\d.]+: /, '') !== now) states.push(`${tick / 2}: ${now}`);
        if (life.deletedAt === tick / 2) await api.delete(PODS, { namespace: 'life', name: 'p' });
      }
      assert.deepEqual(faults, []);
      assert.deepEqual(states, life.states);
      const said = (await events('p')).filter(e => /^Warning|Killing/.test(e));
      assert.deepEqual(said, life.events ?? []);
    });
  }
});
