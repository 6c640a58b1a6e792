// Turns a PEM certificate request into a certificate of the cluster's authority. Knows no controllers; who may ask is theirs to say.

import { createPublicKey } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { type Authority, signCertificate } from './rest/index.ts';

export interface RequestToSign {
  /** PEM, PKCS #10. */
  request: string;
  usages: ('server' | 'client')[];
  /** Milliseconds. */
  lifetime: number;
}

const COMMON_NAME = 'CN';
const ORGANIZATION = 'O';
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';

/** Rejects when the request cannot be read or is not signed by its own key. */
export function certificateSigner(
  authority: Authority,
  clock: Clock,
): (wanted: RequestToSign) => Promise<string> {
  return async ({ request, usages, lifetime }) => {
    // A quarter of a second to load, and hardly any cluster ever signs: only when asked.
    await import('reflect-metadata');
    const x509 = await import('@peculiar/x509');
    const parsed = new x509.Pkcs10CertificateRequest(request);
    if (!(await parsed.verify())) throw new Error('the request is not signed by the key it carries');
    const [commonName = ''] = parsed.subjectName.getField(COMMON_NAME);
    const organizations = parsed.subjectName.getField(ORGANIZATION);
    const extension = parsed.getExtension(SUBJECT_ALTERNATIVE_NAME);
    const names = extension
      ? new x509.SubjectAlternativeNameExtension(extension.rawData).names
          .toJSON()
          .filter(name => name.type === 'dns' || name.type === 'ip')
          .map(name => name.value)
      : [];
    const publicKey = createPublicKey({
      key: Buffer.from(parsed.publicKey.rawData),
      format: 'der',
      type: 'spki',
    });
    return signCertificate(authority, clock, publicKey, {
      commonName,
      organizations,
      names,
      usages,
      lifetime,
    });
  };
}
