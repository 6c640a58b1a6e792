// What python does in a container, and what it says about the part of the language that is not there.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { testNode } from '../node/test-node.ts';

const IMAGE = 'python:3.12-slim';

it('python runs the scripts it understands and refuses the others by line', async t => {
  const { pass, run, pod, log, exec, faults } = await testNode(t);
  const python = (name: string, ...args: string[]) =>
    run(name, {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      containers: [
        { name: 'c', image: IMAGE, command: ['python', ...args], env: [{ name: 'WHO', value: 'you' }] },
      ],
    });
  await python('hello', '-c', 'import os\nprint(f"hello {os.environ[\'WHO\']}", 1 + 2)');
  await python(
    'loop',
    '-u',
    '-c',
    'import time\ni = 0\nwhile True:\n  print("tick", i, flush=True)\n  i += 1\n  time.sleep(2)',
  );
  await python('exit', '-c', 'import sys; print("bad", file=sys.stderr); sys.exit(3)');
  await python('key', '-c', 'import os\nprint(os.environ["NOBODY"])');
  await python('beyond', '-c', 'import os\nopen("/x").read()');
  await python('module', '-c', 'import numpy');
  await python('missing', '/app/main.py');
  await python('serve', '-m', 'http.server', '8080', '--directory', '/etc');
  await pass(6_000);
  const end = async (name: string) =>
    (await pod(name)).status.containerStatuses[0].state.terminated?.exitCode;
  assert.equal(await log('hello'), 'hello you 3\n');
  assert.equal(await log('loop'), 'tick 0\ntick 1\ntick 2\n');
  assert.equal(await end('exit'), 3);
  assert.match(await log('key'), /line 2, in <module>\nKeyError: 'NOBODY'\n$/);
  assert.match(
    await log('beyond'),
    /^python: this practice cluster runs only a small part of Python \(.+\); line 2 is beyond it: open\("\/x"\)\.read\(\)\n$/,
  );
  assert.match(await log('module'), /line 1 is beyond it: import numpy\n$/);
  assert.equal(
    await log('missing'),
    "python: can't open file '/app/main.py': [Errno 2] No such file or directory\n",
  );
  assert.deepEqual(
    [await end('key'), await end('beyond'), await end('missing'), await end('loop')],
    [1, 1, 2, undefined],
  );
  assert.match(await log('serve'), /^Serving HTTP on 0\.0\.0\.0 port 8080/);
  const served = await exec('serve', ['curl', '-s', 'http://localhost:8080/hostname']);
  assert.equal(served.out, 'serve\n');
  assert.equal((await exec('serve', ['python3', '-c', 'print("in a shell")'])).out, 'in a shell\n');
  assert.equal(
    (await exec('serve', ['sh', '-c', 'echo "print(1 + 1)" > /tmp/a.py; cd /tmp; python a.py | cat'])).out,
    '2\n',
  );
  assert.deepEqual(faults, []);
});

it('a script that is an HTTP server listens, and says that its handlers are not run', async t => {
  const { pass, run, pod, log, exec } = await testNode(t);
  const server = (port: string) =>
    `import http.server\nPORT = 8080\nclass Hook(BaseHTTPRequestHandler):\n  def do_GET(self):\n    pass\nHTTPServer(("", ${port}), Hook).serve_forever()`;
  const container = (port: string) => ({ name: 'c', image: IMAGE, command: ['python', '-c', server(port)] });
  await run('number', { containers: [container('9000')] });
  await run('declared', { containers: [{ ...container('PORT'), ports: [{ containerPort: 8080 }] }] });
  await pass(3_000);
  assert.equal((await pod('number')).status.containerStatuses[0].ready, true);
  assert.match(await log('declared'), /it listens on port 8080 and answers 501\n$/);
  const answer = await exec('number', ['curl', '-s', '-w', '%{http_code}', 'http://localhost:9000/']);
  assert.match(answer.out, /does not run the handlers of an HTTPServer\n501$/);
});
