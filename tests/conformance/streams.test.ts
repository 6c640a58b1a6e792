// Logs, exec, attach, cp, run and port-forward against pods that run, through every kubectl from 1.29 on that is at hand.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { KUBECTL_VERSIONS, NO_KUBECTL, sharedCluster, type TestCluster } from '../support/practice.ts';
import { transcript } from '../support/transcript.ts';

const cluster = sharedCluster();
const skip = NO_KUBECTL;
const type = async (text: string) => transcript(await cluster(), text);

/** JSON, since kubectl before 1.33 takes a manifest that begins with a brace for it. */
const BUSYBOX = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'box', labels: { app: 'box' } },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      { name: 'c', image: 'busybox:1.36', command: ['sh', '-c', 'echo hello; while true; do sleep 1; done'] },
    ],
  },
});

test('a pod logs, runs commands and reports their exit codes', { skip }, () =>
  type(`
    $ echo '${BUSYBOX}' | kubectl create -f -
    pod/box created

    $ kubectl wait --for=condition=Ready pod/box --timeout=20s
    pod/box condition met

    $~ kubectl logs box
    hello

    $ kubectl logs box --tail=0

    $ kubectl logs box --timestamps
    20…T…Z hello

    $ kubectl logs box --previous
    Error from server (BadRequest): previous terminated container "c" in pod "box" not found
    [exit 1]

    $ kubectl exec box -- echo from inside
    from inside

    $ kubectl exec box -- sh -c 'exit 7'
    command terminated with exit code 7
    [exit 7]

    $ kubectl exec box -- sh -c 'echo out; echo err >&2' 2>/dev/null
    out

    $ echo typed | kubectl exec -i box -- cat
    typed

    $ kubectl exec box -- nope
    error: Internal error occurred: …error executing command in container: failed to exec in container: failed to start exec "…": OCI runtime exec failed: exec failed: unable to start container process: exec: "nope": executable file not found in $PATH
    [exit 1]

    $ kubectl exec box -- hostname
    box
    `),
);

test('files are copied in and out', { skip }, () =>
  type(`
    $ echo content > $TMPDIR/in.txt; kubectl cp $TMPDIR/in.txt box:/tmp/file.txt

    $ kubectl exec box -- cat /tmp/file.txt
    content

    $ kubectl cp box:/tmp/file.txt $TMPDIR/out.txt >/dev/null 2>&1; cat $TMPDIR/out.txt
    content
    `),
);

test('run starts a pod, waits for it and takes it away', { skip }, () =>
  type(`
    $ kubectl run once --image=busybox:1.36 --restart=Never --rm -i --quiet -- sh -c 'sleep 1; echo done once' 2>/dev/null
    done once

    $ kubectl get pod once
    Error from server (NotFound): pods "once" not found
    [exit 1]
    `),
);

test('what is not running refuses to talk', { skip }, () =>
  type(`
    $ kubectl run unscheduled --image=busybox:1.36 --overrides='{"spec":{"nodeSelector":{"no":"where"}}}'
    pod/unscheduled created

    $ kubectl logs unscheduled

    $ kubectl port-forward unscheduled 8080:80
    error: unable to forward port because pod is not running. Current status=Pending
    [exit 1]

    $ kubectl exec unscheduled -- ls
    Error from server (BadRequest): pod unscheduled does not have a host assigned
    [exit 1]

    $ kubectl exec nope -- ls
    Error from server (NotFound): pods "nope" not found
    [exit 1]
    `),
);

/** Starts a port-forward on a port that kubectl chooses; gives the port and how to end it. */
async function portForward(
  { folder, kubeconfig }: TestCluster,
  args: string[],
  kubectl: string,
): Promise<{ port: number; text: () => string; stop: () => void }> {
  const child = spawn(kubectl, ['port-forward', ...args], {
    env: {
      HOME: folder,
      KUBECONFIG: kubeconfig,
      KUBECACHEDIR: `${folder}/cache-forward`,
      PATH: process.env.PATH,
    },
  });
  let text = '';
  const port = await new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`kubectl said: ${text}`)), 15_000);
    const read = (chunk: Buffer) => {
      text += chunk;
      const match = /127\.0\.0\.1:(\d+)/.exec(text);
      if (match) {
        clearTimeout(timer);
        resolve(Number(match[1]));
      }
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', () => reject(new Error(`kubectl said: ${text}`)));
  });
  return { port, text: () => text, stop: () => child.kill('SIGKILL') };
}

test('each kubectl at hand reads logs, runs commands and forwards ports', { skip }, async t => {
  const shared = await cluster();
  await transcript(
    shared,
    `
    $ kubectl run server --image=nginx:1.27 --port=80
    pod/server created

    $ kubectl wait --for=condition=Ready pod/server --timeout=20s
    pod/server condition met
    `,
  );
  for (const [version, kubectl] of KUBECTL_VERSIONS) {
    await t.test(`kubectl ${version}`, async () => {
      await transcript(
        shared,
        `
        $ kubectl logs server --tail=1 >/dev/null

        $ kubectl exec server -- hostname
        server

        $ echo typed | kubectl exec -i server -- cat
        typed

        $ kubectl exec server -- sh -c 'exit 3'
        command terminated with exit code 3
        [exit 3]
        `,
        { kubectl },
      );
      const forward = await portForward(shared, ['pod/server', ':80'], kubectl);
      try {
        for (let i = 0; i < 2; i++) {
          const answer = await fetch(`http://127.0.0.1:${forward.port}/`);
          assert.match(await answer.text(), /Welcome to nginx/);
        }
      } finally {
        forward.stop();
      }
    });
  }
});

test('a port nobody listens on is told to who forwards to it', { skip }, async () => {
  const shared = await cluster();
  const kubectl = [...KUBECTL_VERSIONS.values()].at(-1) ?? 'kubectl';
  const forward = await portForward(shared, ['pod/server', ':81'], kubectl);
  await assert.rejects(fetch(`http://127.0.0.1:${forward.port}/`));
  const deadline = Date.now() + 5000;
  while (!/connection refused/.test(forward.text()) && Date.now() < deadline) {
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  forward.stop();
  assert.match(
    forward.text(),
    /error forwarding port 81 to pod [0-9a-f]{64}, uid : .*connect: connection refused/,
  );
});

test('a command that is watched until it fails tells its output once and its exit code', {
  skip,
}, async () => {
  const { sh } = await cluster();
  for (const [name, sockets] of [
    ['fails-ws', 'true'],
    ['fails-spdy', 'false'],
  ]) {
    const run = await sh(
      `kubectl run ${name} --image=busybox --restart=Never --rm -i --quiet -- sh -c 'sleep 2; echo seen; exit 3'`,
      { env: { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: sockets as string }, timeout: 60_000 },
    );
    assert.equal(run.stdout, 'seen\n', run.text);
    assert.doesNotMatch(run.stderr, /couldn't attach/);
    assert.match(run.stderr, new RegExp(`^pod default/${name} terminated \\(Error\\)$`, 'm'));
    assert.equal(run.code, 3, run.text);
  }
});
