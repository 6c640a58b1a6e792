import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { fakeClock } from '../../clock.ts';
import { createAuthority, issue, signCertificate } from './certificates.ts';

/** Whatever a kubeconfig, a pod or minikube calls the server. */
const NAMES = [
  'localhost',
  'minikube',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
  '127.0.0.1',
  '::1',
  '10.96.0.1',
  '192.168.49.2',
];

const clock = fakeClock();
const authority = createAuthority(clock);

test('the authority signs its server and client certificates', () => {
  const ca = new X509Certificate(authority.caCert);
  assert.ok(ca.ca);
  assert.ok(ca.verify(ca.publicKey));
  for (const { cert } of [authority.server, authority.client]) {
    const certificate = new X509Certificate(cert);
    assert.ok(certificate.checkIssued(ca));
    assert.ok(certificate.verify(ca.publicKey));
    assert.equal(certificate.ca, false);
  }
});

test('the server certificate answers to each of its names', () => {
  const certificate = new X509Certificate(authority.server.cert);
  for (const name of NAMES) {
    assert.ok(certificate.checkHost(name) ?? certificate.checkIP(name), `${name} is not in the certificate`);
  }
  assert.equal(certificate.checkHost('example.com'), undefined);
});

test('the client certificate names the user and the group as minikube does', () => {
  assert.equal(new X509Certificate(authority.client.cert).subject, 'O=system:masters\nCN=minikube-user');
});

test('a key that somebody else holds can be certified for a limited time', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = signCertificate(authority, clock, publicKey, {
    commonName: 'jane',
    organizations: ['dev', 'ops'],
    usages: ['client'],
    lifetime: 3600_000,
  });
  const certificate = new X509Certificate(pem);
  assert.equal(certificate.subject, 'O=dev\nO=ops\nCN=jane');
  assert.equal(Date.parse(certificate.validTo), clock.now() + 3600_000);
  assert.ok(certificate.publicKey.equals(publicKey));
});

test('two authorities do not trust each other', () => {
  const other = new X509Certificate(createAuthority(clock).caCert);
  const leaf = new X509Certificate(issue(authority, clock, { commonName: 'x', usages: ['server'] }).cert);
  assert.equal(leaf.verify(other.publicKey), false);
});
