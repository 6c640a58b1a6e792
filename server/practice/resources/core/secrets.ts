// Secrets.

import {
  configMapKeyErrors,
  type FieldError,
  forbiddenField,
  IMMUTABLE,
  invalidAll,
  invalidValue,
  type KubeObject,
  required,
} from '../../../kube/index.ts';
import { AGE, age, NAME, size, text } from '../format.ts';
import type { ResourceDefinition } from '../types.ts';
import { same } from '../validation/common.ts';
import { MAX_DATA_BYTES } from './configmaps.ts';

/** The keys that a typed secret must have; one group of alternatives a row. */
const NEEDED: Record<string, readonly string[]> = {
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
};
const SERVICE_ACCOUNT_TOKEN = 'kubernetes.io/service-account-token';
const SERVICE_ACCOUNT_NAME = 'kubernetes.io/service-account.name';

function typeFindings(secret: KubeObject): FieldError[] {
  const type: string = secret.type ?? 'Opaque';
  const data: Record<string, string> = secret.data ?? {};
  const findings = (NEEDED[type] ?? [])
    .filter(key => data[key] === undefined)
    .map(key => required(`data[${key}]`));
  if (type === SERVICE_ACCOUNT_TOKEN && !secret.metadata.annotations?.[SERVICE_ACCOUNT_NAME])
    findings.push(required(`metadata.annotations[${SERVICE_ACCOUNT_NAME}]`));
  if (type === 'kubernetes.io/basic-auth' && data['username'] === undefined && data['password'] === undefined)
    findings.push(required('data[username]'), required('data[password]'));
  for (const key of ['.dockerconfigjson', '.dockercfg']) {
    if (!NEEDED[type]?.includes(key) || data[key] === undefined) continue;
    try {
      JSON.parse(Buffer.from(data[key], 'base64').toString('utf8'));
    } catch {
      findings.push(invalidValue(`data[${key}]`, '<secret contents redacted>', 'invalid character'));
    }
  }
  return findings;
}

export const secrets: ResourceDefinition = {
  group: '',
  versions: ['v1'],
  kind: 'Secret',
  resource: 'secrets',
  singular: 'secret',
  namespaced: true,
  selectableFields: { type: secret => secret.type ?? '' },
  defaults(secret) {
    // Plain text given for convenience becomes data; it is never stored as such.
    for (const [key, value] of Object.entries<string>(secret.stringData ?? {})) {
      secret.data ??= {};
      secret.data[key] = Buffer.from(value, 'utf8').toString('base64');
    }
    delete secret.stringData;
  },
  validate(secret) {
    const findings: FieldError[] = [];
    let bytes = 0;
    for (const [key, value] of Object.entries<string>(secret.data ?? {})) {
      findings.push(...invalidAll(`data[${key}]`, key, configMapKeyErrors(key)));
      bytes += Buffer.byteLength(value, 'base64');
    }
    if (bytes > MAX_DATA_BYTES)
      findings.push({
        field: 'data',
        type: 'TooLong',
        message: `Too long: may not be more than ${MAX_DATA_BYTES} bytes`,
      });
    return [...findings, ...typeFindings(secret)];
  },
  validateUpdate(secret, old) {
    const findings: FieldError[] = [];
    if (secret.type !== old.type) findings.push(invalidValue('type', secret.type, IMMUTABLE));
    if (old.immutable) {
      const why = 'field is immutable when `immutable` is set';
      if (!secret.immutable) findings.push(forbiddenField('immutable', why));
      if (!same(secret.data ?? {}, old.data ?? {})) findings.push(forbiddenField('data', why));
    }
    return findings;
  },
  columns: [
    NAME,
    text('Type', 'Used to facilitate programmatic handling of secret data.'),
    text('Data', 'Data contains the secret data.'),
    AGE,
  ],
  row: (secret, context) => [
    secret.metadata.name,
    secret.type ?? '',
    String(size(secret.data)),
    age(secret, context),
  ],
};
