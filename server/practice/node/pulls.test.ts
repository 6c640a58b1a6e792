// Pulling images: who may, how often, and what the kubelet says when not. On one node with a fake clock.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SECRETS } from './resources.ts';
import { testNode } from './test-node.ts';

const PRIVATE = 'registry.example.com/team/echo-server:1.0';
const refused = (image: string, why: string) =>
  `Warning Failed Failed to pull image "${image}": failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${why}`;

const login = (name: string, host: string, username: string, password: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'life' },
  type: 'kubernetes.io/dockerconfigjson',
  data: {
    '.dockerconfigjson': Buffer.from(
      JSON.stringify({
        auths: {
          [host]: { username, password, auth: Buffer.from(`${username}:${password}`).toString('base64') },
        },
      }),
    ).toString('base64'),
  },
});
const RIGHT = 'practice-makes-perfect';

describe('a private image', () => {
  const pod = (secrets: string[], image = PRIVATE, more: object = {}) => ({
    imagePullSecrets: secrets.map(name => ({ name })),
    containers: [{ name: 'c', image, ...more }],
  });

  it('is refused without a login, and with a secret that is not there', async t => {
    const { pass, run, events } = await testNode(t);
    await run('none', pod([]));
    await run('missing', pod(['regcred']));
    await pass(2_000);
    const why =
      'pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials';
    assert.equal((await events('none'))[1], refused(PRIVATE, why));
    assert.deepEqual((await events('missing')).slice(0, 3), [
      'Warning FailedToRetrieveImagePullSecret Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.',
      `Normal Pulling Pulling image "${PRIVATE}"`,
      refused(PRIVATE, why),
    ]);
  });

  it('is refused with a wrong password, and to a login for another registry', async t => {
    const { api, pass, run, events } = await testNode(t);
    await api.create(SECRETS, login('wrong', 'registry.example.com', 'learner', 'guess'));
    await api.create(SECRETS, login('elsewhere', 'https://index.docker.io/v1/', 'learner', RIGHT));
    await run('wrong', pod(['wrong']));
    await run('elsewhere', pod(['elsewhere']));
    await pass(2_000);
    assert.equal(
      (await events('wrong'))[1],
      refused(
        PRIVATE,
        'unexpected status from HEAD request to https://registry.example.com/v2/team/echo-server/manifests/1.0: 401 Unauthorized',
      ),
    );
    assert.match((await events('elsewhere'))[1]!, /authorization failed: no basic auth credentials$/);
  });

  it('is pulled once the secret is right, and then still only for pods that have it', async t => {
    const { api, pass, run, pod: podNamed, events } = await testNode(t);
    await run('late', pod(['regcred']));
    await pass(5_000);
    await api.create(SECRETS, login('regcred', 'https://registry.example.com', 'learner', RIGHT));
    await pass(30_000);
    assert.equal((await podNamed('late')).status.phase, 'Running');
    await run('other', pod([]));
    await run('never', pod([], PRIVATE, { imagePullPolicy: 'Never' }));
    await run('same', pod(['regcred']));
    await pass(3_000);
    assert.match((await events('other'))[1]!, /no basic auth credentials$/);
    assert.equal(
      (await events('never'))[0],
      `Warning ErrImageNeverPull Container image "${PRIVATE}" is present with pull policy of Never but does not have the proper credentials to access the image`,
    );
    assert.match((await events('same'))[0]!, /already present on machine and can be accessed by the pod$/);
  });

  it('knows logins for a part of a registry and for hosts by pattern', async t => {
    const { api, pass, run, pod: podNamed } = await testNode(t);
    await api.create(SECRETS, login('part', 'registry.example.com/team', 'learner', RIGHT));
    await api.create(SECRETS, login('pattern', '*.example.com', 'learner', RIGHT));
    await api.create(SECRETS, login('other', 'registry.example.com/others', 'learner', RIGHT));
    for (const name of ['part', 'pattern', 'other'])
      await run(name, pod([name], PRIVATE, { imagePullPolicy: 'Always' }));
    await pass(3_000);
    assert.equal((await podNamed('part')).status.phase, 'Running');
    assert.equal((await podNamed('pattern')).status.phase, 'Running');
    assert.equal((await podNamed('other')).status.phase, 'Pending');
  });
});

describe('pulls on one node', () => {
  it('follow one another, and bring an image once', async t => {
    const { pass, run, events } = await testNode(t);
    for (const name of ['first', 'second', 'third'])
      await run(name, { containers: [{ name: 'c', image: name === 'third' ? 'redis:7' : 'nginx:1.27' }] });
    await pass(4_000);
    const took = async (name: string) =>
      /in (\S+) \((\S+) including waiting\)/.exec((await events(name))[1]!)!.slice(1);
    assert.deepEqual(await took('first'), ['235ms', '235ms']);
    // The registry is asked again, and nothing is fetched.
    assert.deepEqual(await took('second'), ['50ms', '285ms']);
    assert.deepEqual(await took('third'), ['223ms', '508ms']);
  });
});

describe('Docker Hub', () => {
  const tooMany =
    /failed to copy: httpReadSeeker: failed open: unexpected status code https:\/\/registry-1\.docker\.io\/v2\/library\/redis\/manifests\/sha256:[0-9a-f]{64}: 429 Too Many Requests - Server message: toomanyrequests: You have reached your unauthenticated pull rate limit\. https:\/\/www\.docker\.com\/increase-rate-limit$/;

  it('grants as many pulls as its limit says, until the hours are over', async t => {
    const pullLimit = { registry: 'docker.io', pulls: 2, hours: 6 };
    const { clock, pass, run, pod, events } = await testNode(t, { pullLimit });
    const one = (name: string, image: string, more: object = {}) =>
      run(name, { containers: [{ name: 'c', image, ...more }] });
    await one('a', 'nginx:1.27');
    await one('b', 'httpd:2.4');
    await pass(2_000);
    await one('c', 'redis:7');
    await one('elsewhere', 'registry.k8s.io/pause:3.9');
    // What is on the node already costs nothing.
    await one('again', 'nginx:1.27', { imagePullPolicy: 'Always' });
    await pass(2_000);
    assert.match((await events('c'))[1]!, tooMany);
    assert.equal((await pod('elsewhere')).status.phase, 'Running');
    assert.equal((await pod('again')).status.phase, 'Running');
    await clock.advance(6 * 3_600_000);
    await pass(310_000);
    assert.equal((await pod('c')).status.phase, 'Running');
  });

  it('does not count pulls of those who log in, and turns wrong passwords away', async t => {
    const pullLimit = { registry: 'docker.io', pulls: 0, hours: 6 };
    const { api, pass, run, pod, events } = await testNode(t, { pullLimit });
    await api.create(SECRETS, login('hub', 'https://index.docker.io/v1/', 'learner', RIGHT));
    await api.create(SECRETS, login('wrong', 'docker.io', 'learner', 'guess'));
    for (const name of ['hub', 'wrong'])
      await run(name, { imagePullSecrets: [{ name }], containers: [{ name: 'c', image: 'redis:7' }] });
    await pass(2_000);
    assert.equal((await pod('hub')).status.phase, 'Running');
    assert.match(
      (await events('wrong'))[1]!,
      /failed to authorize: failed to fetch oauth token: unexpected status from GET request to https:\/\/auth\.docker\.io\/token\?scope=repository%3Alibrary%2Fredis%3Apull&service=registry\.docker\.io: 401 Unauthorized$/,
    );
  });
});

describe('a registry', () => {
  it('takes as long as an image is large, once, and looks up a present one quickly', async t => {
    const { pass, run, events } = await testNode(t);
    await run('first', { containers: [{ name: 'c', image: 'python:3.12', imagePullPolicy: 'Always' }] });
    await pass(4_000);
    await run('second', { containers: [{ name: 'c', image: 'python:3.12', imagePullPolicy: 'Always' }] });
    await pass(4_000);
    assert.match(
      (await events('first'))[1]!,
      /^Normal Pulled Successfully pulled image "python:3\.12" in 388ms /,
    );
    assert.match(
      (await events('second'))[1]!,
      /^Normal Pulled Successfully pulled image "python:3\.12" in 50ms /,
    );
  });

  it('says what it does not know: a tag, a repository, a host, a name', async t => {
    const { pass, run, events, pod } = await testNode(t);
    const images = [
      'nginx:9.99',
      'nobody/nothing:1',
      'registry.nowhere.test/a:1',
      'localhost:5000/a:1',
      'Bad Image',
    ];
    for (const [i, image] of images.entries()) await run(`p${i}`, { containers: [{ name: 'c', image }] });
    await pass(1_000);
    const said = async (i: number) =>
      (await events(`p${i}`))[1]!.split('failed to resolve reference ').at(-1);
    assert.equal(await said(0), '"docker.io/library/nginx:9.99": docker.io/library/nginx:9.99: not found');
    assert.equal(
      await said(1),
      '"docker.io/nobody/nothing:1": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
    );
    assert.equal(
      await said(2),
      '"registry.nowhere.test/a:1": failed to do request: Head "https://registry.nowhere.test/v2/a/manifests/1": dial tcp: lookup registry.nowhere.test on 192.168.49.1:53: no such host',
    );
    assert.match((await said(3))!, /dial tcp 127\.0\.0\.1:5000: connect: connection refused$/);
    assert.equal((await pod('p4')).status.containerStatuses[0].state.waiting.reason, 'InvalidImageName');
  });
});
