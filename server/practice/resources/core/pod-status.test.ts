import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../../kube/index.ts';
import { podQuality } from './pod-quality.ts';
import { summarisePod } from './pod-status.ts';

const NOW = Date.UTC(2026, 10, 23, 23, 20, 0);
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();
const container = (name: string, state: object, more: object = {}) => ({
  name,
  ready: false,
  restartCount: 0,
  state,
  lastState: {},
  ...more,
});
const pod = (
  status: object,
  spec: object = { containers: [{ name: 'a' }] },
  metadata: object = {},
): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', ...metadata },
  spec,
  status,
});
const line = (object: KubeObject) => {
  const { ready, total, status, restarts } = summarisePod(object, NOW);
  return `${ready}/${total} ${status} ${restarts}`;
};

test('a pod reads as kubectl shows it', () => {
  const running = { running: { startedAt: ago(60) } };
  assert.equal(line(pod({ phase: 'Pending' })), '0/1 Pending 0');
  assert.equal(
    line(pod({ phase: 'Running', containerStatuses: [container('a', running, { ready: true })] })),
    '1/1 Running 0',
  );
  assert.equal(
    line(
      pod({ phase: 'Pending', containerStatuses: [container('a', { waiting: { reason: 'ErrImagePull' } })] }),
    ),
    '0/1 ErrImagePull 0',
  );
  assert.equal(
    line(
      pod({
        phase: 'Running',
        containerStatuses: [
          container(
            'a',
            { waiting: { reason: 'CrashLoopBackOff' } },
            { restartCount: 3, lastState: { terminated: { exitCode: 1, finishedAt: ago(125) } } },
          ),
        ],
      }),
    ),
    '0/1 CrashLoopBackOff 3 (2m5s ago)',
  );
  assert.equal(
    line(
      pod({
        phase: 'Succeeded',
        containerStatuses: [container('a', { terminated: { exitCode: 0, reason: 'Completed' } })],
      }),
    ),
    '0/1 Completed 0',
  );
  assert.equal(
    line(pod({ phase: 'Failed', containerStatuses: [container('a', { terminated: { exitCode: 3 } })] })),
    '0/1 ExitCode:3 0',
  );
  assert.equal(line(pod({ phase: 'Failed', reason: 'Evicted' })), '0/1 Evicted 0');
});

test('init containers and sidecars count as upstream counts them', () => {
  const spec = {
    containers: [{ name: 'a' }],
    initContainers: [{ name: 'i' }, { name: 's', restartPolicy: 'Always' }],
  };
  const waiting = container('a', { waiting: { reason: 'PodInitializing' } });
  const status = (init: object[], main: object, more: object = {}) =>
    pod({ phase: 'Pending', initContainerStatuses: init, containerStatuses: [main], ...more }, spec);
  assert.equal(
    line(
      status(
        [container('i', { running: {} }), container('s', { waiting: { reason: 'PodInitializing' } })],
        waiting,
      ),
    ),
    '0/2 Init:0/2 0',
  );
  assert.equal(
    line(status([container('i', { terminated: { exitCode: 1, reason: 'Error' } })], waiting)),
    '0/2 Init:Error 0',
  );
  assert.equal(
    line(status([container('i', { waiting: { reason: 'CrashLoopBackOff' } }, { restartCount: 2 })], waiting)),
    '0/2 Init:CrashLoopBackOff 2',
  );
  assert.equal(
    line(
      status(
        [
          container('i', { terminated: { exitCode: 0, reason: 'Completed' } }),
          container('s', { running: {} }, { started: true, ready: true }),
        ],
        container('a', { running: {} }, { ready: true }),
        { phase: 'Running' },
      ),
    ),
    '2/2 Running 0',
  );
});

test('a pod on its way out is Terminating unless it has ended', () => {
  const going = { deletionTimestamp: ago(1) };
  assert.equal(line(pod({ phase: 'Running' }, undefined, going)), '0/1 Terminating 0');
  assert.equal(line(pod({ phase: 'Succeeded' }, undefined, going)), '0/1 Succeeded 0');
  assert.equal(line(pod({ phase: 'Running', reason: 'NodeLost' }, undefined, going)), '0/1 Unknown 0');
});

test('the class of service follows requests and limits', () => {
  const of = (...resources: object[]) =>
    podQuality({ containers: resources.map(one => ({ resources: one })) });
  assert.equal(of({}), 'BestEffort');
  assert.equal(of({ requests: { cpu: '1' } }), 'Burstable');
  const both = { cpu: '1', memory: '1Gi' };
  assert.equal(of({ requests: both, limits: { cpu: '1000m', memory: '1024Mi' } }), 'Guaranteed');
  assert.equal(of({ limits: both }), 'Guaranteed');
  assert.equal(of({ limits: both }, {}), 'Burstable');
  assert.equal(of({ requests: { cpu: '500m', memory: '1Gi' }, limits: both }), 'Burstable');
});
