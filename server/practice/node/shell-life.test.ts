// Containers that run shell commands on a node, on a fake clock: logs as they come, exit codes, exec, signals.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testNode } from './test-node.ts';

const busybox = (command: string[], more: any = {}) => ({
  containers: [{ name: 'c', image: 'docker.io/library/busybox:1.35', command, ...more }],
});

describe('a container with a shell', () => {
  it('prints while it runs and counts a crash as upstream does', async t => {
    const { pass, run, pod, log, events } = await testNode(t);
    await run('run', busybox(['sh', '-c', 'echo hello; sleep 3600']));
    await run('crash', busybox(['sh', '-c', 'echo boom; exit 3']));
    await pass(4_000);
    assert.equal(await log('run'), 'hello\n');
    assert.equal((await pod('run')).status.containerStatuses[0].ready, true);
    const [status] = (await pod('crash')).status.containerStatuses;
    assert.equal(status.restartCount, 1);
    assert.equal(status.state.waiting.reason, 'CrashLoopBackOff');
    assert.equal(status.lastState.terminated.exitCode, 3);
    assert.equal(status.lastState.terminated.reason, 'Error');
    assert.equal(await log('crash'), 'boom\n');
    const { metadata } = await pod('crash');
    assert.ok(
      (await events('crash')).includes(
        `Warning BackOff Back-off restarting failed container c in pod crash_life(${metadata.uid})`,
      ),
    );
    assert.equal(
      status.state.waiting.message,
      `back-off 10s restarting failed container=c pod=crash_life(${metadata.uid})`,
    );
  });

  it('ends a pod that never restarts with its exit code', async t => {
    const { pass, run, pod } = await testNode(t);
    await run('never', { restartPolicy: 'Never', ...busybox(['sh', '-c', 'echo bye; exit 4']) });
    await run('done', { restartPolicy: 'OnFailure', ...busybox(['sh', '-c', 'echo $((19+23))']) });
    await pass(4_000);
    const never = (await pod('never')).status;
    assert.equal(never.phase, 'Failed');
    assert.equal(never.containerStatuses[0].state.terminated.exitCode, 4);
    assert.equal(never.conditions.find((c: any) => c.type === 'Ready').reason, 'PodFailed');
    const done = (await pod('done')).status;
    assert.equal(done.phase, 'Succeeded');
    assert.equal(done.conditions.find((c: any) => c.type === 'Initialized').reason, 'PodCompleted');
  });

  it('is killed when it takes more memory than its limit', async t => {
    const { pass, run, pod } = await testNode(t);
    await run('oom', {
      restartPolicy: 'Never',
      ...busybox(['sh', '-c', 'a=x; while true; do a=$a$a; done'], {
        resources: { limits: { memory: '16Mi' } },
      }),
    });
    await pass(4_000);
    const { terminated } = (await pod('oom')).status.containerStatuses[0].state;
    assert.equal(terminated.reason, 'OOMKilled');
    assert.equal(terminated.exitCode, 137);
  });

  it('ignores SIGTERM without a trap and heeds it with one', async t => {
    const { pass, api, run, pod } = await testNode(t);
    await run('deaf', { ...busybox(['sleep', '3600']), terminationGracePeriodSeconds: 5 });
    await run('polite', busybox(['sh', '-c', 'trap "echo bye; exit 0" TERM; while true; do sleep 1; done']));
    await pass(3_000);
    const resource = { group: '', version: 'v1', resource: 'pods' };
    await api.delete(resource, { namespace: 'life', name: 'deaf' });
    await api.delete(resource, { namespace: 'life', name: 'polite' });
    await pass(2_000);
    await assert.rejects(pod('polite'), /not found/);
    assert.equal((await pod('deaf')).metadata.name, 'deaf');
    await pass(4_000);
    await assert.rejects(pod('deaf'), /not found/);
  });

  it('runs commands beside its program, with their exit codes', async t => {
    const { pass, run, exec } = await testNode(t);
    await run('run', busybox(['sleep', '3600']));
    await pass(3_000);
    assert.deepEqual(await exec('run', ['sh', '-c', 'exit 7']), { code: 7, out: '', err: '' });
    const env = await exec('run', ['env']);
    assert.match(env.out, /^PATH=\/bin$/m);
    assert.match(env.out, /^HOSTNAME=run$/m);
    assert.match((await exec('run', ['cat', '/etc/resolv.conf'])).out, /^search life\.svc\.cluster\.local/);
    await assert.rejects(exec('run', ['nope']), /exec: "nope": executable file not found in \$PATH$/);
    await assert.rejects(
      exec('run', ['/no/such']),
      /exec: "\/no\/such": stat \/no\/such: no such file or directory$/,
    );
    await assert.rejects(exec('run', ['/etc/hosts']), /exec: "\/etc\/hosts": permission denied$/);
    await assert.rejects(exec('run', ['/etc']), /exec: "\/etc": is a directory$/);
  });

  it('has a terminal that ends what runs with Ctrl-C and what reads with Ctrl-D', async t => {
    const { pass, run, exec } = await testNode(t);
    await run('run', busybox(['sleep', '3600']));
    await pass(3_000);
    const typed = (command: string[], input: string[]) => exec('run', command, input, { tty: true });
    assert.deepEqual(await typed(['sleep', '100'], ['', '\x03']), { code: 130, out: '^C\r\n', err: '' });
    assert.deepEqual(await typed(['cat'], ['hi\r', '\x04']), { code: 0, out: 'hi\r\nhi\r\n', err: '' });
    assert.deepEqual(await typed(['cat'], ['hi\r', '\x03']), { code: 130, out: 'hi\r\n^C\r\n', err: '' });
    // What has a file to read waits for nobody.
    assert.deepEqual(await typed(['cat', '/etc/hostname'], ['']), { code: 0, out: 'run\r\n', err: '' });
    assert.deepEqual(await typed(['sh', '-c', 'cat /etc/hostname'], ['']), {
      code: 0,
      out: 'run\r\n',
      err: '',
    });
    const shell = await typed(['sh'], ['sleep 100\r', '\x03', 'echo $?\r', 'exit 3\r']);
    assert.equal(shell.code, 3);
    assert.match(shell.out, /\^C\r\n\/ # echo \$\?\r\n130\r\n/);
  });

  it('starts no file that nobody made executable', async t => {
    const { pass, run, pod } = await testNode(t);
    await run('run', busybox(['/etc/hosts']));
    await pass(2_000);
    const { reason, message } = (await pod('run')).status.containerStatuses[0].lastState.terminated;
    assert.equal(reason, 'StartError');
    assert.match(message, /unable to start container process: exec: "\/etc\/hosts": permission denied$/);
  });

  it('does not stall the machine with an endless loop', async t => {
    const { pass, run, pod, exec } = await testNode(t);
    await run('busy', busybox(['sh', '-c', 'while :; do :; done']));
    await run('run', busybox(['sleep', '3600']));
    await pass(3_000);
    assert.equal((await pod('busy')).status.phase, 'Running');
    assert.equal((await exec('run', ['echo', 'alive'])).out, 'alive\n');
  });

  it('serves files to another pod by its address', async t => {
    const { pass, run, pod, exec } = await testNode(t);
    await run(
      'web',
      busybox(['sh', '-c', 'mkdir -p /w; hostname > /w/index.html; httpd -f -p 80 -h /w'], {
        readinessProbe: { httpGet: { port: 80, path: '/' }, periodSeconds: 2 },
      }),
    );
    await run('client', busybox(['sleep', '3600']));
    await pass(5_000);
    const { status } = await pod('web');
    assert.equal(status.containerStatuses[0].ready, true);
    assert.equal((await exec('client', ['wget', '-qO-', `http://${status.podIP}`])).out, 'web\n');
    const refused = await exec('client', ['wget', '-qO-', `http://${status.podIP}:81`]);
    assert.equal(refused.err, `wget: can't connect to remote host (${status.podIP}): Connection refused\n`);
  });

  it('hands on what another pod sends to nc, one connection after the other', async t => {
    const { pass, run, pod, log } = await testNode(t);
    await run('sum', {
      restartPolicy: 'Never',
      ...busybox(['sh', '-c', 'a=$(nc -l -p 7000); b=$(nc -l -p 7000); echo "sum $((a + b))"']),
    });
    await pass(2_000);
    const { podIP } = (await pod('sum')).status;
    for (const number of [3, 4])
      await run(
        `part-${number}`,
        busybox(['sh', '-c', `until echo ${number} | nc ${podIP} 7000; do sleep 1; done`]),
      );
    await pass(6_000);
    assert.equal(await log('sum'), 'sum 7\n');
    assert.equal((await pod('sum')).status.phase, 'Succeeded');
  });
});
