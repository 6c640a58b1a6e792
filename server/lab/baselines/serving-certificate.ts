// A certificate for one server that vouches for itself, where nothing in the cluster hands any out. Knows no server.

import { webcrypto } from 'node:crypto';

const YEAR = 365 * 24 * 60 * 60 * 1000;
const KEY = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** PEM texts; `certificate` is also the authority that clients trust. Valid for a year from `now`, in milliseconds. */
export async function servingCertificate(
  host: string,
  now: number,
): Promise<{ certificate: string; key: string }> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto as Crypto);
  const keys = (await webcrypto.subtle.generateKey(KEY, true, ['sign', 'verify'])) as CryptoKeyPair;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${host}`,
    notBefore: new Date(now - 60_000),
    notAfter: new Date(now + YEAR),
    signingAlgorithm: KEY,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: host }]),
    ],
  });
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    certificate: certificate.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${Buffer.from(key)
      .toString('base64')
      .replace(/(.{64})/g, '$1\n')
      .trim()}\n-----END PRIVATE KEY-----\n`,
  };
}
