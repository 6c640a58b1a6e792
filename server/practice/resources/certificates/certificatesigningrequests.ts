// CertificateSigningRequests.

import {
  type FieldError,
  invalidValue,
  type KubeObject,
  notSupported,
  required,
} from '../../../kube/index.ts';
import { AGE, age, humanDuration, NAME, text } from '../format.ts';
import { partOf, statusOf } from '../parts.ts';
import type { ResourceDefinition } from '../types.ts';
import { same } from '../validation/common.ts';

const KIND = { group: 'certificates.k8s.io', version: 'v1', kind: 'CertificateSigningRequest' };
const MIN_SECONDS = 600;
const USAGES = new Set([
  'signing',
  'digital signature',
  'content commitment',
  'key encipherment',
  'key agreement',
  'data encipherment',
  'cert sign',
  'crl sign',
  'encipher only',
  'decipher only',
  'any',
  'server auth',
  'client auth',
  'code signing',
  'email protection',
  's/mime',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'timestamping',
  'ocsp signing',
  'microsoft sgc',
  'netscape sgc',
]);

function validate(request: KubeObject): FieldError[] {
  const spec = request.spec ?? {};
  const findings: FieldError[] = [];
  const pem = Buffer.from(spec.request ?? '', 'base64').toString('latin1');
  if (!/-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----/.test(pem))
    findings.push(
      invalidValue('spec.request', spec.request ?? '', 'PEM block type must be CERTIFICATE REQUEST'),
    );
  if (!spec.usages?.length) findings.push(required('spec.usages', 'usages must be provided'));
  for (const [i, usage] of (spec.usages ?? []).entries())
    if (!USAGES.has(usage)) findings.push(notSupported(`spec.usages[${i}]`, usage, [...USAGES].sort()));
  if (!spec.signerName) findings.push(required('spec.signerName'));
  else if (!/^[^/]+\.[^/]+\/.+$/.test(spec.signerName))
    findings.push(
      invalidValue(
        'spec.signerName',
        spec.signerName,
        'must be a fully qualified domain and path of the form "example.com/signer-name"',
      ),
    );
  if (spec.expirationSeconds !== undefined && spec.expirationSeconds < MIN_SECONDS)
    findings.push(
      invalidValue(
        'spec.expirationSeconds',
        spec.expirationSeconds,
        `may not specify a duration less than ${MIN_SECONDS} seconds (10 minutes)`,
      ),
    );
  return findings;
}

function condition(request: KubeObject): string {
  const conditions: { type: string }[] = request.status?.conditions ?? [];
  const has = (type: string) => conditions.some(c => c.type === type);
  const decided = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending';
  return [
    decided,
    ...(has('Failed') ? ['Failed'] : []),
    ...(request.status?.certificate ? ['Issued'] : []),
  ].join(',');
}

export const certificatesigningrequests: ResourceDefinition = {
  group: 'certificates.k8s.io',
  versions: ['v1'],
  kind: 'CertificateSigningRequest',
  resource: 'certificatesigningrequests',
  singular: 'certificatesigningrequest',
  shortNames: ['csr'],
  namespaced: false,
  subresources: [
    partOf('approval', KIND),
    statusOf('certificates.k8s.io', 'v1', 'CertificateSigningRequest'),
  ],
  selectableFields: { 'spec.signerName': request => request.spec?.signerName ?? '' },
  prepareForCreate(request, { user }) {
    // Who asks is what the server saw, never what the body says.
    request.spec = { ...request.spec, username: user.name, groups: user.groups };
    request.status = {};
  },
  prepareForUpdate(request, old) {
    request.spec = old.spec;
    request.status = old.status;
  },
  validate,
  validateUpdate: (request, old) =>
    same(request.spec, old.spec) ? [] : [invalidValue('spec', request.spec, 'field is immutable')],
  columns: [
    NAME,
    AGE,
    text('SignerName', 'signerName indicates the requested signer.'),
    text('Requestor', 'username contains the name of the user that created the CertificateSigningRequest.'),
    text(
      'RequestedDuration',
      'expirationSeconds is the requested duration of validity of the issued certificate.',
    ),
    text('Condition', 'conditions applied to the request.'),
  ],
  row: (request, context) => [
    request.metadata.name,
    age(request, context),
    request.spec?.signerName || '<none>',
    request.spec?.username ?? '',
    request.spec?.expirationSeconds === undefined
      ? '<none>'
      : humanDuration(request.spec.expirationSeconds * 1000),
    condition(request),
  ],
};
