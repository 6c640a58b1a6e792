// What Istio's policies and token rules make of a request, without a mesh.

import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { type Policy, refusalOf, ruleHolds } from './authorization.ts';
import { checkJwt, type JwtRule } from './jwt.ts';

const asked = (path: string, more: { headers?: Record<string, string>; principal?: string } = {}) => ({
  method: 'GET',
  path,
  headers: { host: 'localhost:8080' },
  ...more,
});

test('a rule holds when some source, some operation and every condition do', () => {
  const outside = {
    to: [{ operation: { notPaths: ['/dex/*', '/dex/**', '/oauth2/*'] } }],
    when: [{ key: 'request.headers[authorization]', notValues: ['*'] }],
  };
  assert.equal(ruleHolds(outside, asked('/')), true);
  assert.equal(ruleHolds(outside, asked('/dex/auth')), false);
  assert.equal(ruleHolds(outside, asked('/', { headers: { authorization: 'Basic x' } })), false);
  const kernels = { to: [{ operation: { methods: ['GET'], paths: ['*/api/kernels'] } }] };
  assert.equal(ruleHolds(kernels, asked('/notebook/ada/diary/api/kernels')), true);
  assert.equal(ruleHolds(kernels, { ...asked('/x/api/kernels'), method: 'POST' }), false);
  assert.equal(ruleHolds({ from: [{ source: { namespaces: ['kubeflow'] } }] }, asked('/')), false);
  assert.equal(ruleHolds({}, asked('/')), true);
});

test('who is denied stays denied, and who nobody allows is denied where somebody allows', () => {
  const deny: Policy = {
    namespace: 'istio-system',
    name: 'require-jwt',
    action: 'DENY',
    rules: [{ from: [{ source: { notRequestPrincipals: ['*'] } }] }],
  };
  const allow: Policy = { namespace: 'istio-system', name: 'allow', action: 'ALLOW', rules: [{}] };
  const nothing: Policy = { ...allow, name: 'global-deny-all', rules: [] };
  assert.equal(refusalOf([], asked('/')), undefined);
  assert.equal(
    refusalOf([allow, deny], asked('/')),
    'rbac_access_denied_matched_policy[ns[istio-system]-policy[require-jwt]-rule[0]]',
  );
  assert.equal(refusalOf([allow, deny], asked('/', { principal: 'issuer/ada' })), undefined);
  assert.equal(refusalOf([nothing], asked('/')), 'rbac_access_denied_matched_policy[none]');
  assert.equal(refusalOf([nothing, allow], asked('/')), undefined);
});

test('a token is taken from its issuer alone, while it is good and signed', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const rule: JwtRule = {
    issuer: 'http://dex',
    fromHeaders: [{ name: 'Authorization', prefix: 'Bearer ' }],
    outputClaimToHeaders: [{ claim: 'email', header: 'kubeflow-userid' }],
    forwardOriginalToken: true,
    keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one' }],
  };
  const coded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = (claims: object, kid = 'one') => {
    const text = `${coded({ alg: 'RS256', kid })}.${coded({ iss: 'http://dex', sub: 'ada', exp: 2_000, ...claims })}`;
    return `${text}.${sign('RSA-SHA256', Buffer.from(text), privateKey).toString('base64url')}`;
  };
  const check = (authorization: string | undefined, rules = [rule]) =>
    checkJwt(rules, authorization === undefined ? {} : { authorization }, 1_000_000);
  const reason = (of: ReturnType<typeof check>) => (of.kind === 'refused' ? of.reason : of.kind);
  const good = check(`Bearer ${token({ email: 'ada@example.com' })}`);
  assert.deepEqual(good, {
    kind: 'accepted',
    principal: 'http://dex/ada',
    headers: { 'kubeflow-userid': 'ada@example.com' },
    removed: [],
  });
  assert.equal(reason(check(undefined)), 'none');
  assert.equal(reason(check('Basic x')), 'none');
  assert.equal(
    reason(check('Bearer x')),
    'Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections',
  );
  assert.equal(reason(check(`Bearer ${token({ iss: 'http://else' })}`)), 'Jwt issuer is not configured');
  assert.equal(reason(check(`Bearer ${token({ exp: 999 })}`)), 'Jwt is expired');
  const other = `Bearer ${token({}, 'two')}`;
  assert.equal(reason(check(other)), "Jwks doesn't have key to match kid or alg from Jwt");
  const [head, , signature] = token({}).split('.');
  const changed = `${head}.${coded({ iss: 'http://dex', sub: 'root', exp: 2_000 })}.${signature}`;
  assert.equal(reason(check(`Bearer ${changed}`)), 'Jwt verification fails');
});
