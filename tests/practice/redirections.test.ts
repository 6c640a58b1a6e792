// Files that a script in a container cannot open for writing: the shell says so in its own words and goes on, as kubectl
// exec shows it.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { type Component, component } from '../support/component.ts';
import { NO_KUBECTL } from '../support/practice.ts';

const start = component('empty', 'writing');

const mounted = (name: string, image: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'c',
        image,
        command: ['sleep', '3600'],
        volumeMounts: [
          { name: 'config', mountPath: '/etc/config' },
          { name: 'secret', mountPath: '/etc/secret' },
          { name: 'all', mountPath: '/etc/all' },
          { name: 'scratch', mountPath: '/scratch' },
        ],
      },
    ],
    volumes: [
      { name: 'config', configMap: { name: 'settings' } },
      { name: 'secret', secret: { secretName: 'password' } },
      { name: 'all', projected: { sources: [{ configMap: { name: 'settings' } }] } },
      { name: 'scratch', emptyDir: {} },
    ],
  },
});

describe('a file that cannot be opened for writing', { skip: NO_KUBECTL }, () => {
  let c: Component;
  before(async () => {
    c = await start();
    await c.sh(
      'kubectl create configmap settings --from-literal=colour=blue; kubectl create secret generic password --from-literal=p=s3cret',
    );
    await c.create(mounted('small', 'busybox:1.35'));
    await c.create(mounted('large', 'nginx:1.27'));
    await c.sh('kubectl wait --for=condition=Ready pod/small pod/large --timeout=30s');
  });

  /** Output and errors in their order, then the exit code. */
  const small = (script: string) => c.sh(`kubectl exec small -- sh -c '${script}' 2>&1; echo "= $?"`);
  const large = (script: string) => c.sh(`kubectl exec large -- bash -c '${script}' 2>&1; echo "= $?"`);
  const lines = (...said: string[]) => said.join('\n');

  it('is told in the words of busybox or bash; $? is 1, and the next command runs', async () => {
    const script = 'echo a; echo x > /nodir/x; echo $?; echo b';
    assert.deepEqual(
      (await small(script)).split('\n').sort(),
      ["sh: can't create /nodir/x: nonexistent directory", 'a', '1', 'b', '= 0'].sort(),
    );
    assert.deepEqual(
      (await large(script)).split('\n').sort(),
      ['bash: /nodir/x: No such file or directory', 'a', '1', 'b', '= 0'].sort(),
    );
  });

  it('keeps its command from running, alone, in a condition, around a block, and ends a script with -e', async () => {
    const refused = "sh: can't create /nodir/x: nonexistent directory";
    assert.match(await small('touch /tmp/k; rm /tmp/k > /nodir/x; ls /tmp/k'), /^\/tmp\/k$/m);
    assert.match(await small('if echo x >> /nodir/x; then echo yes; else echo no; fi'), /^no$/m);
    assert.match(
      await small('for i in 1 2; do touch /tmp/in; done > /nodir/x; ls /tmp/in || echo none'),
      /^none$/m,
    );
    assert.match(await small('{ touch /tmp/in; } 2> /nodir/x || echo none'), /^none$/m);
    assert.match(await small('echo $(echo cap > /nodir/x; echo rest)'), /^rest$/m);
    assert.match(await small('> /nodir/x; echo after'), /^after$/m);
    assert.equal(
      await small('set -e; echo x > /nodir/x; echo never'),
      lines(refused, 'command terminated with exit code 1', '= 1'),
    );
  });

  it('is anything below a config map, a secret or a projected volume, but no emptyDir', async () => {
    for (const path of ['/etc/config/colour', '/etc/config/new', '/etc/secret/p', '/etc/all/colour']) {
      assert.equal(
        await small(`echo x > ${path}; echo $? >&2`),
        lines(`sh: can't create ${path}: Read-only file system`, '1', '= 0'),
      );
      assert.equal(
        await large(`echo x >> ${path}; echo $? >&2`),
        lines(`bash: ${path}: Read-only file system`, '1', '= 0'),
      );
    }
    assert.equal(
      await small('cat /etc/config/colour; echo; cat /etc/all/colour; echo; ls /etc/config'),
      lines('blue', 'blue', 'colour', '= 0'),
    );
    assert.equal(await small('echo x > /scratch/x; cat /scratch/x'), lines('x', '= 0'));
    assert.equal(
      await small('echo x > /etc; echo $? >&2'),
      lines("sh: can't create /etc: Is a directory", '1', '= 0'),
    );
  });

  it('takes nothing from those that can be opened', async () => {
    assert.equal(
      await small(
        'cd /tmp; echo one > f; echo two >> f; cat f; ls /nope > g 2>&1; cat g; ls /nope &> h; cat h',
      ),
      lines(
        'one',
        'two',
        'ls: /nope: No such file or directory',
        'ls: /nope: No such file or directory',
        '= 0',
      ),
    );
    assert.equal(
      await small(
        'F="/tmp/a b"; { echo q; echo r >&2; } > "$F" 2> "$F.err"; cat "$F" "$F.err"; L=/dev/stdout; echo s > $L',
      ),
      lines('q', 'r', 's', '= 0'),
    );
    assert.equal(
      await small(
        'exec 3> /tmp/three; echo three >&3; exec 3>&-; f() { cat; }; f < /tmp/three > /tmp/four; cat /tmp/four',
      ),
      lines('three', '= 0'),
    );
  });
});
