import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { CouldNotLook } from '../could-not-look.ts';
import { say } from '../words.ts';
import { checkKindContract, pod, type Scene, scene } from './contract.ts';
import { KINDS } from './index.ts';

const away = new CouldNotLook(say('連不上', 'The cluster does not answer.'));
const unreachable = (s: Scene) => {
  s.api.broken = away;
};
const phase = (value: string) => ({
  status: { phase: value, conditions: [{ type: 'Ready', status: value === 'Running' ? 'True' : 'False' }] },
});

checkKindContract({
  kind: 'resource',
  spec: {
    ref: { kind: 'Pod', namespace: 'shop', selector: { app: 'web' } },
    match: { status: { phase: 'Running' } },
  },
  holds: s => s.api.put(pod('web-1', phase('Running'))),
  fails: s => s.api.put(pod('web-1', phase('Pending'))),
  says: /Pod shop\/web-1: status\.phase is Pending, expected Running/,
  breaks: unreachable,
});

checkKindContract({
  kind: 'absent',
  spec: { ref: { kind: 'Pod', name: 'debug' } },
  holds: s => s.api.remove(pod('debug')),
  fails: s => s.api.put(pod('debug')),
  says: /Pod shop\/debug is still there/,
  breaks: unreachable,
});

const binding = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  metadata: { name: 'b', namespace: 'shop' },
};
checkKindContract({
  kind: 'access',
  spec: {
    as: 'system:serviceaccount:shop:ci',
    verb: 'list',
    resource: 'inferenceservices.serving.kserve.io',
    namespace: 'shop',
    allowed: true,
  },
  holds: s => {
    s.api.allows = (attributes, user) =>
      attributes.group === 'serving.kserve.io' &&
      attributes.resource === 'inferenceservices' &&
      user.endsWith(':ci');
    s.api.put(binding);
  },
  fails: s => {
    s.api.allows = () => false;
  },
  says: /system:serviceaccount:shop:ci cannot list inferenceservices\.serving\.kserve\.io in namespace shop, and should/,
  breaks: unreachable,
});

checkKindContract({
  kind: 'command',
  spec: { ran: 'kubectl describe pod|pods', exit: 0, output: { $matches: 'FailedScheduling' } },
  holds: s =>
    s.ran({
      line: 'kubectl -n shop describe pod/web-1 | cat',
      exit: 0,
      endedAt: 2,
      output: 'Warning  FailedScheduling',
    }),
  fails: s =>
    s.ran({ line: 'kubectl describe pod nope', exit: 1, endedAt: 2, output: 'Error from server (NotFound)' }),
  says: /You ran `kubectl describe pod nope`, and it failed \(exit 1\): Error from server/,
});

checkKindContract({
  kind: 'answer',
  spec: {
    prompt: { 'zh-TW': '多少？', en: 'How much?' },
    equals: { from: { kind: 'Node' }, path: 'status.allocatable.memory' },
    as: 'quantity',
  },
  holds: s => {
    s.api.put({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'n' },
      status: { allocatable: { memory: '4194304Ki' } },
    });
    s.context.answer = '4Gi';
  },
  fails: s => {
    s.api.put({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'n' },
      status: { allocatable: { memory: '4194304Ki' } },
    });
    s.context.answer = '8Gi';
  },
  says: /It is not "8Gi"/,
  breaks: s => {
    s.context.answer = '4Gi';
    s.api.broken = away;
  },
});

let home = '';
let port = 0;
const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  response.statusCode = request.url === '/healthz' ? 200 : 404;
  response.end(JSON.stringify({ host: request.headers.host }));
});
before(async () => {
  home = mkdtempSync(join(tmpdir(), 'kinds-'));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as { port: number }).port;
});
after(() => {
  server.close();
  rmSync(home, { recursive: true, force: true });
});

let homes = 0;
const withHome = (t: TestContext) => {
  const own = join(home, String(homes++));
  mkdirSync(join(own, 'checks'), { recursive: true });
  return scene(t, own, own);
};

checkKindContract(
  {
    kind: 'file',
    spec: { path: '~/rbac.yaml', match: { kind: 'ClusterRole', metadata: { name: 'reader' } } },
    holds: s =>
      writeFileSync(
        join(s.context.home, 'rbac.yaml'),
        'kind: ConfigMap\n---\nkind: ClusterRole\nmetadata: {name: reader}\n',
      ),
    fails: s =>
      writeFileSync(join(s.context.home, 'rbac.yaml'), 'kind: ClusterRole\nmetadata: {name: writer}\n'),
    says: /~\/rbac\.yaml: metadata\.name is writer, expected reader/,
  },
  withHome,
);

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] },
};
const serving = { spec: { containers: [{ name: 'web', ports: [{ name: 'http', containerPort: 8080 }] }] } };
checkKindContract({
  kind: 'http',
  spec: { service: 'shop/web:80', path: '/healthz', status: 200, body: { host: 'web.shop' } },
  holds: s => {
    s.api.dial = (_pod, asked) => {
      assert.equal(asked, 8080);
      return connect(port, '127.0.0.1');
    };
    s.api.put(service);
    s.api.put(pod('web-1', { ...serving, ...phase('Running') }));
  },
  fails: s => {
    s.api.put(service);
    s.api.put(pod('web-1', { ...serving, ...phase('Pending') }));
  },
  says: /Pod web-1 behind service web is not ready \(it is Pending\)/,
  breaks: unreachable,
});

checkKindContract(
  {
    kind: 'script',
    spec: { file: 'checks/pods.ts' },
    holds: s => {
      for (const name of ['a', 'b']) s.api.put(pod(name));
      script(s.context.labFolder);
      s.ran({ line: 'anything' });
    },
    fails: s => script(s.context.labFolder),
    says: /0 pods/,
    breaks: s => {
      script(s.context.labFolder);
      s.api.broken = away;
    },
  },
  withHome,
);
function script(folder: string): void {
  writeFileSync(
    join(folder, 'checks/pods.ts'),
    `export default async ({ list }) => {
       const { length } = await list({ kind: 'Pod' });
       return length === 2 ? { state: 'holds' } : { state: 'wrong', said: { 'zh-TW': length + ' 個', en: length + ' pods' } };
     };`,
  );
}

test('every kind of the schema has its member', () => {
  assert.deepEqual(Object.keys(KINDS), [
    'resource',
    'absent',
    'access',
    'http',
    'command',
    'file',
    'answer',
    'script',
  ]);
});

test('a file outside the home folder is not read', async t => {
  const s = withHome(t);
  symlinkSync('/etc/hostname', join(s.context.home, 'rbac.yaml'));
  const verdict = await KINDS.file.run({ path: '~/rbac.yaml' }, s.context);
  assert.match(verdict.said?.en ?? '', /outside the home folder/);
});

test('plain text where an object is wanted is called that, without the words of the check', async t => {
  const s = withHome(t);
  writeFileSync(join(s.context.home, 'pod.yaml'), 'NAME READY\nhello 1/1\n');
  const spec = { path: '~/pod.yaml', match: { kind: 'Pod', metadata: { uid: { $exists: true } } } };
  const verdict = await KINDS.file.run(spec, s.context);
  assert.equal(verdict.state, 'wrong');
  assert.match(verdict.said?.en ?? '', /holds plain text/);
  assert.equal(verdict.findings, undefined);
});

test('what only has the name of a file is none: a folder, a socket, a pipe that nobody writes to', async t => {
  const s = withHome(t);
  const path = join(s.context.home, 'rbac.yaml');
  const said = async () => (await KINDS.file.run({ path: '~/rbac.yaml' }, s.context)).said?.en;
  mkdirSync(path);
  assert.equal(await said(), 'There is no file ~/rbac.yaml yet.');
  rmSync(path, { recursive: true });
  const server = createServer().listen(path);
  await once(server, 'listening');
  assert.equal(await said(), 'There is no file ~/rbac.yaml yet.');
  server.close();
  rmSync(path, { force: true });
  execFileSync('mkfifo', [path]);
  assert.equal(await said(), 'There is no file ~/rbac.yaml yet.');
});

/** What a script check answers when its file says this. */
const scripted = (t: TestContext, text: string, deadline = '5s') => {
  const s = withHome(t);
  writeFileSync(join(s.context.labFolder, 'checks/own.ts'), text);
  return KINDS.script.run({ file: 'checks/own.ts', deadline }, s.context);
};

test('a script that never answers, loops for ever or eats the memory is ended, and it is ours', async t => {
  const started = performance.now();
  const late = /gave no result within 0.3 s/;
  await assert.rejects(scripted(t, 'export default () => new Promise(() => {});', '300ms'), late);
  await assert.rejects(scripted(t, 'export default () => { for (;;); };', '300ms'), late);
  await assert.rejects(scripted(t, 'for (;;);', '300ms'), late);
  await assert.rejects(
    scripted(
      t,
      'const all = []; export default () => { for (;;) all.push(new Array(1e5).fill(all.length)); };',
    ),
    (error: unknown) =>
      error instanceof CouldNotLook && /wants more than \d+ MB of memory/.test(error.message),
  );
  assert.ok(performance.now() - started < 8000);
});

test('a script that throws, ends or is no script at all could not look', async t => {
  for (const [text, why] of [
    ['export default () => { throw new Error("no such thing"); };', /no such thing/],
    ['export default 3;', /no default export that is a function/],
    ['export default (', /failed, this is not your doing/],
  ] as const)
    await assert.rejects(
      scripted(t, text),
      (error: unknown) =>
        error instanceof CouldNotLook && why.test(error.message) && error.text['zh-TW'] !== '',
    );
});

test('a script that gives something else than a verdict is told the right form', async t => {
  for (const given of [
    'undefined',
    '"holds"',
    '{ state: "green" }',
    '{ state: "wrong" }',
    '{ state: "wrong", said: "no" }',
  ])
    await assert.rejects(
      scripted(t, `export default async () => (${given});`),
      /gave no verdict.*A verdict is \{ state: 'holds' \}/,
    );
});

test('a script gets the cluster and nothing of the machine', async t => {
  process.env['SECRET_OF_THIS_TEST'] = 'x';
  t.after(() => delete process.env['SECRET_OF_THIS_TEST']);
  const say = (value: string) =>
    `export default async () => { const seen = ${value}; return { state: 'wrong', said: { 'zh-TW': String(seen), en: String(seen) } }; };`;
  for (const name of ['process', 'fetch', 'WebSocket', 'require', 'Worker'])
    assert.equal((await scripted(t, say(`typeof ${name}`))).said?.en, 'undefined', name);
  for (const module of [
    'node:fs',
    'fs',
    'node:child_process',
    'node:worker_threads',
    '/etc/hostname',
    '../../x.ts',
  ])
    await assert.rejects(
      scripted(t, say(`await import('${module}')`)),
      /only import files of its own lab|Cannot find/,
      module,
    );
});

test('choices may be right because of what the cluster says, and wrong ones are explained', async t => {
  const s = scene(t);
  s.api.put(pod('web-1', { status: { message: '1 Insufficient memory' } }));
  const text = (en: string) => ({ 'zh-TW': en, en });
  const right = (word: string) => ({
    ref: { kind: 'Pod' },
    match: { status: { message: { $matches: word } } },
  });
  const spec = {
    prompt: text('Which?'),
    as: 'text' as const,
    choices: [
      { id: 'memory', text: text('Memory'), right: right('memory') },
      { id: 'cpu', text: text('CPU'), right: right('cpu'), say: text('Read it again.') },
    ],
  };
  s.context.answer = 'memory';
  assert.equal((await KINDS.answer.run(spec, s.context)).state, 'holds');
  s.context.answer = 'cpu';
  assert.deepEqual((await KINDS.answer.run(spec, s.context)).said, text('Read it again.'));
});

test('a command about another namespace is told, also where the context names it', async t => {
  const s = scene(t);
  const place = mkdtempSync(join(tmpdir(), 'context-'));
  t.after(() => rmSync(place, { recursive: true, force: true }));
  s.context.home = place;
  const spec = {
    ran: 'kubectl auth can-i list pods',
    exit: 1,
    namespace: 'shop',
    output: { $matches: '^no' },
  };
  const ask = (line: string) => {
    s.ran({ line, exit: 1, endedAt: 2, output: 'no\n' });
    return KINDS.command.run(spec, s.context);
  };
  assert.match(
    (await ask('kubectl auth can-i list pods')).said?.en ?? '',
    /asks about the namespace `default`; this step is about `shop`/,
  );
  assert.match((await ask('kubectl auth can-i list pods -A')).said?.['zh-TW'] ?? '', /看的是所有命名空間/);
  mkdirSync(join(place, '.kube'));
  writeFileSync(
    join(place, '.kube/config'),
    'current-context: here\ncontexts: [{ name: here, context: { namespace: shop } }]\n',
  );
  assert.equal((await ask('kubectl auth can-i list pods')).state, 'holds');
});

test('a command that worked before its step opened counts and is told so, one that failed is not held against it', async t => {
  const s = scene(t);
  const spec = { ran: 'kubectl get pods', exit: 0, output: { $matches: 'Running' } };
  const judged = () => KINDS.command.run(spec, { ...s.context, since: 10, opened: 100 });
  const ran = (startedAt: number, exit: number, output = '') =>
    s.ran({ line: 'kubectl get pods -A', startedAt, endedAt: startedAt + 1, exit, output });

  ran(50, 1, 'connection refused');
  assert.deepEqual(await judged(), { state: 'not-yet' });
  ran(110, 0, 'No resources found');
  assert.equal((await judged()).state, 'wrong');
  ran(5, 0, 'web Running');
  assert.equal((await judged()).state, 'wrong', 'what ran before the attempt does not count');
  ran(60, 0, 'web Running');
  const held = await judged();
  assert.equal(held.state, 'holds');
  assert.match(held.said?.en ?? '', /You ran `kubectl get pods -A` before this checkpoint opened/);
  ran(120, 0, 'web Running');
  assert.equal((await judged()).said?.en, 'You ran `kubectl get pods -A`.');
});

test('a command that must not print something needs to print nothing of its own', async t => {
  const s = scene(t);
  const spec = { ran: 'kubectl get pods', exit: 0, output: { $not: { $matches: 'No resources found' } } };
  s.ran({
    line: 'kubectl get pods',
    endedAt: 2,
    exit: 0,
    output: 'No resources found in default namespace.',
  });
  const empty = await KINDS.command.run(spec, s.context);
  assert.equal(empty.state, 'wrong');
  assert.match(empty.said?.en ?? '', /looks in the namespace `default`; there is none in it/);
  s.ran({ line: 'kubectl get pods -n shop', endedAt: 3, exit: 0, output: 'NAME\nweb' });
  assert.equal((await KINDS.command.run(spec, s.context)).state, 'holds');
});

test('what began before its step opened and still runs is judged by what it prints', async t => {
  const s = scene(t);
  const spec = { ran: 'kubectl port-forward', output: { $matches: 'Forwarding from' } };
  s.ran({ line: 'kubectl port-forward svc/web 8080:80', startedAt: 50, output: 'waiting' });
  const verdict = await KINDS.command.run(spec, { ...s.context, opened: 100 });
  assert.match(verdict.said?.en ?? '', /waiting/);
});

test('words that the line printed itself prove nothing', async t => {
  const s = scene(t);
  const spec = { ran: 'kubectl describe pod', exit: 0, output: { $matches: 'FailedScheduling' } };
  s.ran({
    line: 'kubectl describe pod web; echo FailedScheduling',
    exit: 0,
    endedAt: 2,
    output: 'Name: web\nFailedScheduling\n',
  });
  const verdict = await KINDS.command.run(spec, s.context);
  assert.equal(verdict.state, 'wrong');
  assert.match(verdict.said?.en ?? '', /printed by `echo`, not by the cluster/);
  s.ran({
    line: 'kubectl describe pod web && echo done',
    exit: 0,
    endedAt: 3,
    output: 'Warning  FailedScheduling\ndone\n',
  });
  assert.equal((await KINDS.command.run(spec, s.context)).state, 'holds');
});

test('a wrong answer never gives the right one away', async t => {
  const s = scene(t);
  s.context.answer = '5';
  const verdict = await KINDS.answer.run(
    { prompt: { 'zh-TW': '?', en: '?' }, equals: 42, as: 'number' },
    s.context,
  );
  assert.equal(verdict.state, 'wrong');
  assert.doesNotMatch(JSON.stringify(verdict), /42/);
});

test('a number is right with separators and units, and a wrong value gets the words the lab has for it', async t => {
  const s = scene(t);
  const text = (en: string) => ({ 'zh-TW': en, en });
  const judge = async (answer: string, as: 'number' | 'quantity', equals: string | number) => {
    s.context.answer = answer;
    const wrong = [
      { when: { $in: ['256', '256Ki'] }, say: text('In bytes, please.') },
      { when: 6, say: text('That is all of them.') },
      { when: '1Gi', say: text('Those are the limits.') },
    ];
    const verdict = await KINDS.answer.run({ prompt: text('?'), equals, as, wrong }, s.context);
    return verdict.state === 'holds' ? 'holds' : verdict.said?.en;
  };
  for (const right of ['262144', '262,144', '262144 bytes', '２６２１４４'])
    assert.equal(await judge(right, 'number', 262144), 'holds', right);
  for (const wrong of ['256', '256Ki', '`256Ki`'])
    assert.equal(await judge(wrong, 'number', 262144), 'In bytes, please.', wrong);
  assert.equal(await judge('6', 'number', 3), 'That is all of them.');
  assert.equal(await judge('6 個', 'number', 3), 'That is all of them.');
  assert.equal(await judge('many', 'number', 3), '"many" is not a number.');
  for (const right of ['128Mi', '128 MiB', '131072Ki', '134217728'])
    assert.equal(await judge(right, 'quantity', '128Mi'), 'holds', right);
  for (const wrong of ['1Gi', '1024Mi', '1 GiB', '1048576Ki', '1073741824'])
    assert.equal(await judge(wrong, 'quantity', '128Mi'), 'Those are the limits.', wrong);
  assert.match((await judge('128MB', 'quantity', '128Mi')) ?? '', /It is not "128MB"/);
});

test('a count, a sum and a bare answer are read from the cluster', async t => {
  const s = scene(t);
  for (const [name, memory] of [
    ['a', '128Mi'],
    ['b', '64Mi'],
  ] as const)
    s.api.put(pod(name, { spec: { containers: [{ resources: { requests: { memory } } }] } }));
  const judge = async (equals: object, answer: string, as = 'quantity') => {
    s.context.answer = answer;
    return (await KINDS.answer.run({ prompt: { 'zh-TW': '?', en: '?' }, equals, as } as never, s.context))
      .state;
  };
  assert.equal(await judge({ from: { kind: 'Pod' }, pick: 'count' }, '2', 'number'), 'holds');
  assert.equal(
    await judge(
      { from: { kind: 'Pod' }, path: 'spec.containers[*].resources.requests.memory', pick: 'sum' },
      '192Mi',
    ),
    'holds',
  );
  assert.equal(
    await judge(
      {
        from: { kind: 'Pod' },
        path: 'spec.containers[0].resources.requests.memory',
        where: { metadata: { name: 'b' } },
        pick: 'one',
      },
      '65536Ki',
    ),
    'holds',
  );
});

test('a count of matching objects is compared, every asks for all', async t => {
  const s = scene(t);
  s.api.put(pod('a', phase('Running')));
  s.api.put(pod('b', phase('Pending')));
  const run = (spec: object) =>
    KINDS.resource.run({ ref: { kind: 'Pod' }, match: { status: { phase: 'Running' } }, ...spec }, s.context);
  assert.equal((await run({ count: 1 })).state, 'holds');
  assert.equal((await run({ count: { $gte: 2 } })).state, 'wrong');
  assert.match((await run({ every: true })).said?.en ?? '', /Pod shop\/b/);
});

test('a kind the cluster does not know is not yet, not wrong', async t => {
  const verdict = await KINDS.resource.run({ ref: { kind: 'InferenceService' } }, scene(t).context);
  assert.equal(verdict.state, 'not-yet');
  assert.match(verdict.said?.en ?? '', /does not know the kind InferenceService yet/);
});
