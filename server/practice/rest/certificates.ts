// The cluster's own certificate authority: a CA, the server's certificate, the administrator's client certificate, and
// certificates for whoever asks later. Knows no files and no TLS sockets; PEM texts in and out.

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { isIP } from 'node:net';
import type { Clock } from '../../clock.ts';
import {
  bitString,
  boolean,
  explicit,
  implicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  time,
  utf8String,
} from './der.ts';

/** Wide on both sides of the cluster's clock: TLS peers compare with the machine's clock, which may be another one. */
const VALID_BEFORE_MS = 365 * 24 * 3600 * 1000;
const VALID_AFTER_MS = 10 * 365 * 24 * 3600 * 1000;

const ECDSA_WITH_SHA256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'));
const COMMON_NAME = '2.5.4.3';
const ORGANIZATION = '2.5.4.10';
const SUBJECT_KEY_ID = '2.5.29.14';
const KEY_USAGE = '2.5.29.15';
const SUBJECT_ALT_NAME = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const AUTHORITY_KEY_ID = '2.5.29.35';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/** The names under which minikube's API server answers. */
const SERVER_NAMES: readonly string[] = [
  'localhost',
  'minikube',
  'control-plane.minikube.internal',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
  '127.0.0.1',
  '::1',
  '10.0.0.1',
  '10.96.0.1',
  '192.168.49.2',
];

/** A certificate and its private key, PEM. */
export interface KeyPair {
  cert: string;
  key: string;
}

export interface CertificateRequest {
  commonName: string;
  organizations?: readonly string[];
  /** DNS names and IP addresses. */
  names?: readonly string[];
  usages: readonly ('server' | 'client')[];
  /** Milliseconds; ten years when absent. */
  lifetime?: number;
}

/** What one cluster is trusted by. Plain data: it may be kept and given to a later cluster. */
export interface Authority {
  caCert: string;
  caKey: string;
  server: KeyPair;
  /** CN=minikube-user, O=system:masters, as minikube makes it. */
  client: KeyPair;
}

/** A fresh authority with its server and administrator certificates; some 3 ms. */
export function createAuthority(clock: Clock): Authority {
  const ca = newKey();
  const name = distinguishedName('minikubeCA', []);
  const caCert = certificate({
    issuer: name,
    issuerKey: ca,
    subject: name,
    publicKey: createPublicKey(ca),
    now: clock.now(),
    lifetime: VALID_AFTER_MS,
    extensions: [
      extension(BASIC_CONSTRAINTS, sequence(boolean(true)), true),
      extension(KEY_USAGE, keyUsage(DIGITAL_SIGNATURE | KEY_ENCIPHERMENT | KEY_CERT_SIGN), true),
    ],
  });
  const authority = { caCert, caKey: privatePem(ca) };
  return {
    ...authority,
    server: issue(authority, clock, {
      commonName: 'minikube',
      names: SERVER_NAMES,
      usages: ['server', 'client'],
    }),
    client: issue(authority, clock, {
      commonName: 'minikube-user',
      organizations: ['system:masters'],
      usages: ['client'],
    }),
  };
}

/** A new key with a certificate for it. */
export function issue(
  authority: Pick<Authority, 'caCert' | 'caKey'>,
  clock: Clock,
  request: CertificateRequest,
): KeyPair {
  const key = newKey();
  return { cert: signCertificate(authority, clock, createPublicKey(key), request), key: privatePem(key) };
}

/** A certificate for a key that somebody else holds (certificate signing requests). */
export function signCertificate(
  authority: Pick<Authority, 'caCert' | 'caKey'>,
  clock: Clock,
  publicKey: KeyObject,
  request: CertificateRequest,
): string {
  const usages = request.usages.map(usage =>
    objectIdentifier(usage === 'server' ? SERVER_AUTH : CLIENT_AUTH),
  );
  return certificate({
    issuer: distinguishedName('minikubeCA', []),
    issuerKey: createPrivateKey(authority.caKey),
    subject: distinguishedName(request.commonName, request.organizations ?? []),
    publicKey,
    now: clock.now(),
    lifetime: request.lifetime ?? VALID_AFTER_MS,
    extensions: [
      extension(KEY_USAGE, keyUsage(DIGITAL_SIGNATURE | KEY_ENCIPHERMENT), true),
      extension(EXTENDED_KEY_USAGE, sequence(...usages)),
      extension(BASIC_CONSTRAINTS, sequence(), true),
      ...(request.names?.length ? [extension(SUBJECT_ALT_NAME, alternativeNames(request.names))] : []),
    ],
  });
}

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

const privatePem = (key: KeyObject) => key.export({ type: 'sec1', format: 'pem' }).toString();

/** Bits of KeyUsage, most significant first as in RFC 5280 4.2.1.3. */
const DIGITAL_SIGNATURE = 0x80;
const KEY_ENCIPHERMENT = 0x20;
const KEY_CERT_SIGN = 0x04;

function keyUsage(bits: number): Buffer {
  let unused = 0;
  while (unused < 7 && !(bits & (1 << unused))) unused++;
  return bitString(Buffer.from([bits]), unused);
}

function distinguishedName(commonName: string, organizations: readonly string[]): Buffer {
  const attribute = (type: string, value: string) => set(sequence(objectIdentifier(type), utf8String(value)));
  return sequence(
    ...organizations.map(organization => attribute(ORGANIZATION, organization)),
    attribute(COMMON_NAME, commonName),
  );
}

function alternativeNames(names: readonly string[]): Buffer {
  return sequence(
    ...names.map(name => (isIP(name) ? implicit(7, addressBytes(name)) : implicit(2, Buffer.from(name)))),
  );
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const groups = (text: string) => (text ? text.split(':') : []);
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const all = [...left, ...Array(8 - left.length - right.length).fill('0'), ...right];
  return Buffer.from(all.map(group => group.padStart(4, '0')).join(''), 'hex');
}

function extension(oid: string, value: Buffer, critical = false): Buffer {
  return sequence(objectIdentifier(oid), ...(critical ? [boolean(true)] : []), octetString(value));
}

/** SHA-1 over the key's bits, as RFC 5280 4.2.1.2 suggests and Go does. */
function keyIdentifier(publicKey: KeyObject): Buffer {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha1').update(spki).digest();
}

function certificate(parts: {
  issuer: Buffer;
  issuerKey: KeyObject;
  subject: Buffer;
  publicKey: KeyObject;
  now: number;
  lifetime: number;
  extensions: Buffer[];
}): string {
  const serial = randomBytes(16);
  serial[0] = (serial[0] ?? 0) & 0x7f;
  const body = sequence(
    explicit(0, integer(Uint8Array.of(2))),
    integer(serial),
    ECDSA_WITH_SHA256,
    parts.issuer,
    sequence(time(parts.now - VALID_BEFORE_MS), time(parts.now + parts.lifetime)),
    parts.subject,
    parts.publicKey.export({ type: 'spki', format: 'der' }),
    explicit(
      3,
      sequence(
        ...parts.extensions,
        extension(SUBJECT_KEY_ID, octetString(keyIdentifier(parts.publicKey))),
        extension(AUTHORITY_KEY_ID, sequence(implicit(0, keyIdentifier(createPublicKey(parts.issuerKey))))),
      ),
    ),
  );
  const signature = sign('sha256', body, parts.issuerKey);
  return pem('CERTIFICATE', sequence(body, ECDSA_WITH_SHA256, bitString(signature)));
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
