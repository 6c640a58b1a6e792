import assert from 'node:assert/strict';
import { webcrypto, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { fakeClock } from '../clock.ts';
import { createAuthority } from './rest/index.ts';
import { certificateSigner } from './signing.ts';

async function request(name: string): Promise<string> {
  await import('reflect-metadata');
  const { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } = await import(
    '@peculiar/x509'
  );
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const made = await Pkcs10CertificateRequestGenerator.create({
    name,
    keys: keys as never,
    signingAlgorithm: algorithm,
    extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: 'web.demo.svc' }])],
  });
  return made.toString('pem');
}

test('a request becomes a certificate of the cluster with its names, its life and its issuer', async () => {
  const clock = fakeClock();
  const authority = createAuthority(clock);
  const sign = certificateSigner(authority, clock);
  const pem = await sign({
    request: await request('CN=jane, O=devs'),
    usages: ['client'],
    lifetime: 3_600_000,
  });
  const certificate = new X509Certificate(pem);
  assert.deepEqual(certificate.subject.split('\n').sort(), ['CN=jane', 'O=devs']);
  assert.equal(certificate.subjectAltName, 'DNS:web.demo.svc');
  assert.ok(certificate.verify(new X509Certificate(authority.caCert).publicKey));
  assert.equal(Math.round((certificate.validToDate.getTime() - clock.now()) / 60_000), 60);
});

test('what is no request is refused', async () => {
  const clock = fakeClock();
  const sign = certificateSigner(createAuthority(clock), clock);
  await assert.rejects(sign({ request: 'nonsense', usages: ['client'], lifetime: 1 }));
});
