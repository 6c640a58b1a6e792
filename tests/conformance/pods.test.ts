// How pods live, crash, wait and stop, seen through kubectl: states, status and words as a real v1.36.2 node gave them.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { NO_KUBECTL, sharedCluster } from '../support/practice.ts';

const cluster = sharedCluster();
const NAMESPACE = 'life';
const IMAGE = 'docker.io/library/busybox:1.35';

const container = (more: object) => ({ name: 'c', image: IMAGE, imagePullPolicy: 'IfNotPresent', ...more });
const sh = (script: string) => container({ command: ['sh', '-c', script] });
const sleep = (more: object = {}) => container({ command: ['sleep', '3600'], ...more });

const PODS: Record<string, object> = {
  run: { containers: [sh('echo hello; sleep 3600')] },
  crash: { containers: [sh('echo boom; exit 3')] },
  never: { restartPolicy: 'Never', containers: [sh('echo bye; exit 4')] },
  done: { restartPolicy: 'OnFailure', containers: [sh('echo ok')] },
  badcmd: { containers: [container({ command: ['/no/such/binary'] })] },
  nocm: { containers: [sleep({ envFrom: [{ configMapRef: { name: 'missing' } }] })] },
  nokey: {
    containers: [
      sleep({
        env: [{ name: 'K', valueFrom: { configMapKeyRef: { name: 'kube-root-ca.crt', key: 'nokey' } } }],
      }),
    ],
  },
  novol: {
    volumes: [{ name: 'v', secret: { secretName: 'missing' } }],
    containers: [sleep({ volumeMounts: [{ name: 'v', mountPath: '/v' }] })],
  },
  oom: {
    restartPolicy: 'Never',
    containers: [{ ...sh('a=x; while true; do a=$a$a; done'), resources: { limits: { memory: '16Mi' } } }],
  },
  initslow: {
    initContainers: [
      { ...container({ command: ['sleep', '1'] }), name: 'i' },
      { ...sleep(), name: 'side', restartPolicy: 'Always' },
    ],
    containers: [sleep()],
  },
  initfail: { initContainers: [{ ...sh('exit 1'), name: 'i' }], containers: [sleep()] },
  live: {
    terminationGracePeriodSeconds: 1,
    containers: [
      sleep({
        livenessProbe: {
          exec: { command: ['sh', '-c', 'echo sick; exit 1'] },
          periodSeconds: 1,
          failureThreshold: 2,
        },
      }),
    ],
  },
  ready: {
    containers: [sleep({ readinessProbe: { httpGet: { port: 80, path: '/ok' }, periodSeconds: 1 } })],
  },
  neverpull: { containers: [{ name: 'c', image: 'local/absent:1', imagePullPolicy: 'Never' }] },
  badimg: { containers: [{ name: 'c', image: 'Bad Image' }] },
  nonroot: { containers: [sleep({ securityContext: { runAsNonRoot: true } })] },
  // Long enough for its turn in the line of pulls: the container is to run when the deadline comes.
  deadline: { activeDeadlineSeconds: 4, terminationGracePeriodSeconds: 1, containers: [sleep()] },
};

/** What `kubectl get pods` shows in the end. */
const STATES: Record<string, RegExp> = {
  run: /^1\/1 Running 0$/,
  crash: /^0\/1 (Error|CrashLoopBackOff) [1-9]/,
  never: /^0\/1 Error 0$/,
  done: /^0\/1 Completed 0$/,
  badcmd: /^0\/1 (RunContainerError|CrashLoopBackOff) [1-9]/,
  nocm: /^0\/1 CreateContainerConfigError 0$/,
  nokey: /^0\/1 CreateContainerConfigError 0$/,
  novol: /^0\/1 ContainerCreating 0$/,
  oom: /^0\/1 OOMKilled 0$/,
  initslow: /^2\/2 Running 0$/,
  initfail: /^0\/1 Init:(Error|CrashLoopBackOff) [1-9]/,
  live: /^[01]\/1 (Running|CrashLoopBackOff|Error) [1-9]/,
  ready: /^0\/1 Running 0$/,
  neverpull: /^0\/1 ErrImageNeverPull 0$/,
  badimg: /^0\/1 InvalidImageName 0$/,
  nonroot: /^0\/1 CreateContainerConfigError 0$/,
  deadline: /^0\/1 (Error|DeadlineExceeded) 0$/,
};

/** Events that a real kubelet recorded about each, as `type reason message`. */
const EVENTS: Record<string, (string | RegExp)[]> = {
  run: [
    /^Normal Scheduled Successfully assigned life\/run to \S+$/,
    /^Normal Pulled (Container image "docker\.io\/library\/busybox:1\.35" already present on machine|Successfully pulled image)/,
    'Normal Created Container created',
    'Normal Started Container started',
  ],
  crash: [/^Warning BackOff Back-off restarting failed container c in pod crash_life\([0-9a-f-]{36}\)$/],
  badcmd: [
    'Warning Failed Error: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/no/such/binary": stat /no/such/binary: no such file or directory',
  ],
  nocm: ['Warning Failed Error: configmap "missing" not found'],
  nokey: ["Warning Failed Error: couldn't find key nokey in ConfigMap life/kube-root-ca.crt"],
  novol: ['Warning FailedMount MountVolume.SetUp failed for volume "v" : secret "missing" not found'],
  live: [
    'Warning Unhealthy Liveness probe failed: sick',
    'Normal Killing Container c failed liveness probe, will be restarted',
  ],
  ready: [
    /^Warning Unhealthy Readiness probe failed: Get "http:\/\/([\d.]+):80\/ok": dial tcp \1:80: connect: connection refused$/,
  ],
  neverpull: [
    'Warning ErrImageNeverPull Container image "local/absent:1" is not present with pull policy of Never',
    'Warning Failed Error: ErrImageNeverPull',
  ],
  badimg: [
    'Warning InspectFailed Failed to apply default image tag "Bad Image": couldn\'t parse image name "Bad Image": invalid reference format: repository name (library/Bad Image) must be lowercase',
    'Warning Failed Error: InvalidImageName',
  ],
  nonroot: [
    /^Warning Failed Error: container has runAsNonRoot and image will run as root \(pod: "nonroot_life\([0-9a-f-]{36}\)", container: c\)$/,
  ],
  deadline: [
    'Normal DeadlineExceeded Pod was active on the node longer than the specified deadline',
    'Normal Killing Stopping container c',
  ],
};

async function eventually(what: string, check: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + 40_000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`${what}: ${(error as Error).message}`);
      await new Promise(resolve => setTimeout(resolve, 400));
    }
  }
}

async function kubectl(...args: string[]) {
  return (await cluster()).kubectl(['-n', NAMESPACE, ...args]);
}

describe('pods through kubectl', { skip: NO_KUBECTL }, () => {
  before(async () => {
    const { sh: shell, hasNodes } = await cluster();
    assert.ok(hasNodes, 'these tests need a node');
    const items = Object.entries(PODS).map(([name, spec]) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: NAMESPACE },
      spec,
    }));
    const made = await shell(`kubectl create ns ${NAMESPACE} && kubectl apply -f -`, {
      stdin: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    });
    assert.equal(made.code, 0, made.text);
  });

  test('every pod comes to the state that a real node shows', async () => {
    await eventually('states', async () => {
      const { stdout } = await kubectl('get', 'pods', '--no-headers');
      const rows = new Map(
        stdout
          .trim()
          .split('\n')
          .map(line => [line.split(/\s+/)[0]!, line.split(/\s+/).slice(1).join(' ')]),
      );
      for (const [name, state] of Object.entries(STATES)) {
        const shown = (rows.get(name) ?? '').replace(/ \(\S+ ago\)/, '').replace(/ \S+$/, '');
        assert.match(shown, state, name);
      }
    });
  });

  test('events carry the words of the kubelet', async () => {
    await eventually('events', async () => {
      const { stdout } = await kubectl('get', 'events', '-o', 'json');
      const items: any[] = JSON.parse(stdout).items;
      for (const [name, expected] of Object.entries(EVENTS)) {
        const seen = items
          .filter(e => e.involvedObject.name === name)
          .map(e => `${e.type} ${e.reason} ${e.message}`);
        for (const words of expected)
          assert.ok(
            seen.some(s => (typeof words === 'string' ? s === words : words.test(s))),
            `${name}: ${words} is not among\n${seen.join('\n')}`,
          );
      }
    });
  });

  test('a running pod has the status of a real one', async () => {
    const { stdout } = await kubectl('get', 'pod', 'run', '-o', 'json');
    const pod = JSON.parse(stdout);
    const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
    const { status } = pod;
    assert.deepEqual(
      status.conditions.map((c: any) => [c.type, c.status, c.lastProbeTime, time.test(c.lastTransitionTime)]),
      ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(type => [
        type,
        'True',
        null,
        true,
      ]),
    );
    assert.equal(status.phase, 'Running');
    assert.deepEqual(status.podIPs, [{ ip: status.podIP }]);
    assert.deepEqual(status.hostIPs, [{ ip: status.hostIP }]);
    const [c] = status.containerStatuses;
    assert.match(c.containerID, /^containerd:\/\/[0-9a-f]{64}$/);
    assert.equal(c.image, IMAGE);
    assert.match(c.imageID, /sha256:[0-9a-f]{64}$/);
    assert.deepEqual(
      {
        ...c,
        containerID: '',
        imageID: '',
        state: Object.keys(c.state),
        volumeMounts: c.volumeMounts.length,
      },
      {
        containerID: '',
        image: IMAGE,
        imageID: '',
        lastState: {},
        name: 'c',
        ready: true,
        resources: {},
        restartCount: 0,
        started: true,
        state: ['running'],
        user: { linux: { gid: 0, supplementalGroups: [0], uid: 0 } },
        volumeMounts: 1,
      },
    );
  });

  test('a pod that cannot start says why in its status', async () => {
    const state = async (name: string) => {
      const { stdout } = await kubectl('get', 'pod', name, '-o', 'jsonpath={.status}');
      return JSON.parse(stdout);
    };
    const oom = await state('oom');
    assert.equal(oom.phase, 'Failed');
    assert.equal(oom.containerStatuses[0].state.terminated.exitCode, 137);
    assert.deepEqual(oom.resources, { limits: { memory: '16Mi' }, requests: { memory: '16Mi' } });
    const nocm = await state('nocm');
    assert.deepEqual(nocm.containerStatuses[0].state, {
      waiting: { message: 'configmap "missing" not found', reason: 'CreateContainerConfigError' },
    });
    const init = await state('initfail');
    assert.equal(init.phase, 'Pending');
    const initialized = init.conditions.find((c: any) => c.type === 'Initialized');
    assert.equal(initialized.reason, 'ContainersNotInitialized');
    assert.equal(initialized.message, 'containers with incomplete status: [i]');
    assert.deepEqual(init.containerStatuses[0].state, { waiting: { reason: 'PodInitializing' } });
    const novol = await state('novol');
    assert.equal(novol.podIP, undefined);
    assert.equal(novol.conditions.find((c: any) => c.type === 'PodReadyToStartContainers').status, 'False');
    const done = await state('done');
    assert.equal(done.conditions.find((c: any) => c.type === 'Initialized').reason, 'PodCompleted');
    await eventually('deadline', async () => {
      const late = await state('deadline');
      assert.equal(late.reason, 'DeadlineExceeded');
      assert.equal(late.message, 'Pod was active on the node longer than the specified deadline');
    });
  });

  test('logs are there, or say why not', async () => {
    assert.equal((await kubectl('logs', 'run')).text, 'hello\n');
    assert.equal((await kubectl('logs', 'crash')).text, 'boom\n');
    const refused = async (...args: string[]) => {
      const { text, code } = await kubectl('logs', ...args);
      assert.equal(code, 1, text);
      return text.split('\n').filter(line => line.startsWith('Error'))[0];
    };
    assert.equal(
      await refused('run', '--previous'),
      'Error from server (BadRequest): previous terminated container "c" in pod "run" not found',
    );
    assert.equal(
      await refused('nocm'),
      'Error from server (BadRequest): container "c" in pod "nocm" is waiting to start: CreateContainerConfigError',
    );
    assert.equal(
      await refused('initfail', '-c', 'c'),
      'Error from server (BadRequest): container "c" in pod "initfail" is waiting to start: PodInitializing',
    );
  });

  test('commands run in a container, or say why not', async () => {
    const exec = (pod: string, ...command: string[]) => kubectl('exec', pod, '--', ...command);
    const seven = await exec('run', 'sh', '-c', 'exit 7');
    assert.equal(seven.code, 7);
    assert.match(seven.stderr, /command terminated with exit code 7/);
    const missing = await exec('run', 'nope');
    assert.match(
      missing.stderr,
      /Internal error occurred: Internal error occurred: error executing command in container: failed to exec in container: failed to start exec "[0-9a-f]{64}": OCI runtime exec failed: exec failed: unable to start container process: exec: "nope": executable file not found in \$PATH/,
    );
    assert.equal(
      (await exec('run', 'ls', '/var/run/secrets/kubernetes.io/serviceaccount')).text,
      'ca.crt\nnamespace\ntoken\n',
    );
    assert.match(
      (await exec('run', 'cat', '/etc/resolv.conf')).text,
      /^search life\.svc\.cluster\.local svc\.cluster\.local cluster\.local\nnameserver 10\.96\.0\.10\noptions ndots:5\n$/,
    );
    assert.match(
      (await exec('never', 'ls')).stderr,
      /cannot exec into a container in a completed pod; current phase is Failed/,
    );
    assert.match(
      (await exec('nocm', 'ls')).stderr,
      /unable to upgrade connection: container not found \("c"\)/,
    );
    const piped = await (await cluster()).kubectl(
      ['-n', NAMESPACE, 'exec', '-i', 'run', '--', 'sh', '-c', 'cat > /tmp/x; wc -c < /tmp/x'],
      { stdin: 'twelve bytes' },
    );
    assert.equal(piped.stdout.trim(), '12');
  });

  test('a deployment serves through its service, by name and by forwarded port', async () => {
    const { sh: shell } = await cluster();
    const web = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: NAMESPACE },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: {
            containers: [
              {
                ...sh('mkdir -p /w; hostname > /w/index.html; httpd -f -p 80 -h /w'),
                readinessProbe: { httpGet: { port: 80, path: '/' }, periodSeconds: 1 },
              },
            ],
          },
        },
      },
    };
    const out = await shell(
      `kubectl apply -f - >/dev/null && kubectl config set-context --current --namespace=${NAMESPACE} >/dev/null
kubectl rollout status deploy/web --timeout=30s | tail -1
kubectl expose deploy web --port=80
kubectl exec run -- wget -qO- http://web.life.svc.cluster.local
kubectl exec run -- nslookup web.life.svc.cluster.local | tail -3
kubectl port-forward svc/web :80 > "$HOME/forward" & pid=$!
for i in $(seq 50); do port=$(sed -n 's/.*127.0.0.1:\\([0-9]*\\) -> 80/\\1/p' "$HOME/forward"); [ -n "$port" ] && break; sleep 0.1; done
curl -s "http://127.0.0.1:$port/"; kill $pid`,
      { stdin: JSON.stringify(web), timeout: 60_000 },
    );
    const lines = out.stdout.trim().split('\n');
    assert.equal(lines[0], 'deployment "web" successfully rolled out', out.text);
    assert.equal(lines[1], 'service/web exposed');
    assert.match(lines[2] ?? '', /^web-[0-9a-z]+-[0-9a-z]{5}$/);
    assert.match(out.stdout, /Name:\tweb\.life\.svc\.cluster\.local\nAddress: 10\.\d+\.\d+\.\d+\n/);
    assert.match(lines.at(-1) ?? '', /^web-[0-9a-z]+-[0-9a-z]{5}$/, out.text);
  });

  test('a deleted pod is gone once its containers have stopped', async () => {
    const deleted = await kubectl('delete', 'pod', 'run', '--grace-period=1');
    assert.match(deleted.stdout, /pod "run" deleted/);
    assert.match((await kubectl('get', 'pod', 'run')).stderr, /pods "run" not found/);
  });
});
