// Which location a request falls into and what its upstream is then asked for, as nginx and its controller decide.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '../../../kube/index.ts';
import { classOf } from './classes.ts';
import { endpointsOf } from './endpoints.ts';
import { checkPaths, configurationOf, locate, plainPath, rewritten } from './routes.ts';

/** `path type service`, one line each. */
function ingress(
  name: string,
  paths: string,
  more: { host?: string; annotations?: object; spec?: object; at?: string } = {},
) {
  const of = paths
    .trim()
    .split('\n')
    .filter(Boolean)
    .map(line => {
      const [path, pathType, service] = line.trim().split(/ +/);
      return { path, pathType, backend: { service: { name: service, port: { number: 80 } } } };
    });
  const rules = of.length > 0 ? [{ ...(more.host && { host: more.host }), http: { paths: of } }] : [];
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      namespace: 'shop',
      name,
      creationTimestamp: more.at ?? '2026-11-24T07:00:00Z',
      annotations: Object.fromEntries(
        Object.entries(more.annotations ?? {}).map(([key, value]) => [
          `nginx.ingress.kubernetes.io/${key}`,
          value,
        ]),
      ),
    },
    spec: { rules, ...more.spec },
  } as KubeObject;
}

/** Where a request goes: `service path`, or what else becomes of it. */
function sends(ingresses: KubeObject[], url: string): string {
  const [host = '', ...rest] = url.split('/');
  const target = `/${rest.join('/')}`;
  const config = configurationOf(ingresses);
  const [server, location] = locate(config, host, plainPath(target)) ?? [];
  if (!server || !location) return 'nowhere';
  if (location.redirect === 'with tls' && server.tls) return 'redirect';
  const upstream = config.upstreams.find(({ name }) => name === location.upstream);
  return `${upstream?.service ?? location.upstream} ${rewritten(location, target)}`;
}

describe('routes of ingress-nginx', () => {
  it('match a prefix by segments, an exact path alone, the longest first', () => {
    const web = [
      ingress(
        'web',
        `/ Prefix web
         /v2 Prefix web2
         /v2/old Exact old
         /any ImplementationSpecific any`,
        { host: 'hello-world.example' },
      ),
    ];
    const at = (path: string) => sends(web, `hello-world.example${path}`);
    assert.equal(at('/'), 'web /');
    assert.equal(at('/v2'), 'web2 /v2');
    assert.equal(at('/v2/a?b=c'), 'web2 /v2/a?b=c');
    assert.equal(at('/v2x'), 'web /v2x');
    assert.equal(at('/v2/old'), 'old /v2/old');
    assert.equal(at('/v2/old/er'), 'web2 /v2/old/er');
    assert.equal(at('/any/thing'), 'any /any/thing');
    assert.equal(at('//v2//a'), 'web2 //v2//a');
  });

  it('go by host: an exact name, one label under a wildcard, then whoever names none', () => {
    const all = [
      ingress('a', '/ Prefix a', { host: 'a.example' }),
      ingress('w', '/ Prefix w', { host: '*.example' }),
      ingress('rest', '/ Prefix rest'),
    ];
    assert.equal(sends(all, 'a.example/'), 'a /');
    assert.equal(sends(all, 'A.EXAMPLE:8080/'), 'a /');
    assert.equal(sends(all, 'b.example/'), 'w /');
    assert.equal(sends(all, 'c.b.example/'), 'rest /');
    assert.equal(sends(all.slice(0, 2), 'other.test/'), 'upstream-default-backend /');
  });

  it('end at a default backend: of the rules, of everything, or the controller’s own', () => {
    const backend = (name: string) => ({ defaultBackend: { service: { name, port: { name: 'http' } } } });
    const some = ingress('some', '/v2 Prefix web2', { host: 'a.example' });
    assert.equal(sends([some], 'a.example/'), 'upstream-default-backend /');
    const own = ingress('own', '/v2 Prefix web2', { host: 'a.example', spec: backend('own') });
    assert.equal(sends([own], 'a.example/'), 'own /');
    assert.equal(sends([some, ingress('all', '', { spec: backend('all') })], 'b.example/'), 'all /');
  });

  it('belong to the older of two Ingresses for the same path', () => {
    const first = ingress('z', '/ Prefix first', { at: '2026-11-24T06:00:00Z' });
    assert.equal(sends([ingress('a', '/ Prefix second'), first], 'x/'), 'first /');
  });

  it('rewrite the whole path by what its groups took', () => {
    const groups = ingress('r', '/api(/|$)(.*) ImplementationSpecific api', {
      host: 'a.example',
      annotations: { 'rewrite-target': '/$2' },
    });
    assert.equal(sends([groups], 'a.example/api/users?id=1'), 'api /users?id=1');
    assert.equal(sends([groups], 'a.example/API'), 'api /');
    assert.equal(sends([groups], 'a.example/apis'), 'upstream-default-backend /apis');
    const plain = ingress('r', '/v2 Prefix web2', { annotations: { 'rewrite-target': '/' } });
    assert.equal(sends([plain], 'x/v2/deep'), 'web2 /');
    const broken = ingress('r', '/a( Prefix a', { annotations: { 'use-regex': 'true' } });
    assert.throws(() => checkPaths(configurationOf([broken])), SyntaxError);
  });

  it('lead to https where the host has a certificate, unless told not to', () => {
    const tls = { tls: [{ hosts: ['a.example'], secretName: 'a' }] };
    const secure = ingress('s', '/ Prefix s', { host: 'a.example', spec: tls });
    assert.equal(sends([secure], 'a.example/'), 'redirect');
    secure.metadata.annotations!['nginx.ingress.kubernetes.io/ssl-redirect'] = 'false';
    assert.equal(sends([secure], 'a.example/'), 's /');
  });
});

describe('classes of ingress-nginx', () => {
  const rules = {
    controller: 'k8s.io/ingress-nginx',
    annotation: 'nginx',
    withoutClass: false,
    ignoreClasses: false,
  };
  const classes = [
    { apiVersion: '', kind: '', metadata: { name: 'nginx' }, spec: { controller: 'k8s.io/ingress-nginx' } },
    { apiVersion: '', kind: '', metadata: { name: 'other' }, spec: { controller: 'example.com/other' } },
  ];
  const named = (ingressClassName?: string) => ingress('i', '', { spec: { ingressClassName } });

  it('are its own by their controller; the annotation and none at all count where it is told so', () => {
    assert.deepEqual(classOf(named('nginx'), classes, rules), { name: 'nginx' });
    const stranger = { error: 'no object matching key "other" in local store' };
    assert.deepEqual(classOf(named('other'), classes, rules), stranger);
    const none = named();
    assert.deepEqual(classOf(none, classes, rules), {
      error: 'ingress does not contain a valid IngressClass',
    });
    assert.deepEqual(classOf(none, classes, { ...rules, withoutClass: true }), { name: '_' });
    none.metadata.annotations = { 'kubernetes.io/ingress.class': 'nginx' };
    assert.deepEqual(classOf(none, classes, rules), { name: 'nginx' });
  });
});

describe('endpoints of ingress-nginx', () => {
  const upstream = { name: 'u', namespace: 'shop', service: 'web', port: '80' };
  const service = (ports: object[], more = {}): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'shop', name: 'web' },
    spec: { ports, ...more },
  });
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace: 'shop', name: 's', labels: { 'kubernetes.io/service-name': 'web' } },
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: [
      { addresses: ['10.244.0.5'], conditions: { ready: true } },
      { addresses: ['10.244.0.6'], conditions: { ready: false } },
    ],
  };
  const found = { endpoints: [{ address: '10.244.0.5', port: 8080 }] };

  it('are the ready ones of a port that is named, numbered, or meant by its target', () => {
    const web = service([{ name: 'http', port: 80, targetPort: 8080 }]);
    for (const port of ['80', 'http', '8080'])
      assert.deepEqual(endpointsOf({ ...upstream, port }, web, [slice]), found);
    const away = service([], { type: 'ExternalName', externalName: 'db.example' });
    assert.deepEqual(endpointsOf(upstream, away, []).endpoints, [{ address: 'db.example', port: 80 }]);
  });

  it('that are not there are told in the controller’s words', () => {
    assert.equal(
      endpointsOf(upstream, undefined, []).warning?.text,
      'Error obtaining Endpoints for Service "shop/web": no object matching key "shop/web" in local store',
    );
    assert.equal(
      endpointsOf(upstream, service([{ port: 81 }]), [slice]).warning?.text,
      'Service "shop/web" does not have any active Endpoint.',
    );
  });
});
