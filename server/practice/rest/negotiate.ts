// Chooses the form of an answer from the Accept header: JSON or YAML, whole objects, tables or metadata only. Knows no kind.

import { StatusError } from '../../kube/index.ts';

export interface Accepted {
  type: 'json' | 'yaml';
  /** Instead of the object itself. */
  as?: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';
  /** Version of the meta.k8s.io form: v1 or v1beta1. */
  asVersion?: string;
}

const TYPES: Record<string, Accepted['type']> = {
  'application/json': 'json',
  'application/*': 'json',
  '*/*': 'json',
  'application/yaml': 'yaml',
};
const FORMS = new Set(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList']);

/** One clause of an Accept header. */
export interface Clause {
  type: string;
  parameters: Record<string, string>;
}

/** Clauses by descending quality, ties in the order written. */
export function parseAccept(header: string | undefined): Clause[] {
  if (header === undefined || header.trim() === '') return [{ type: '*/*', parameters: {} }];
  const clauses = header.split(',').map((text, index) => {
    const [type = '', ...rest] = text.split(';').map(part => part.trim());
    const parameters: Record<string, string> = {};
    for (const parameter of rest) {
      const equals = parameter.indexOf('=');
      if (equals > 0) parameters[parameter.slice(0, equals).trim()] = parameter.slice(equals + 1).trim();
    }
    const quality = Number(parameters.q ?? '1');
    return { type: type.toLowerCase(), parameters, quality: Number.isFinite(quality) ? quality : 1, index };
  });
  return clauses
    .filter(clause => clause.quality > 0)
    .sort((a, b) => b.quality - a.quality || a.index - b.index);
}

/** `forms` false where tables make no sense (writes of Status, discovery). */
export function negotiate(header: string | undefined, forms = true): Accepted {
  for (const { type, parameters } of parseAccept(header)) {
    const known = TYPES[type];
    if (!known) continue;
    const form = parameters.as;
    if (form === undefined) return { type: known };
    const version = parameters.v ?? '';
    if (!forms || !FORMS.has(form) || parameters.g !== 'meta.k8s.io' || !/^v1(beta1)?$/.test(version))
      continue;
    return { type: known, as: form as NonNullable<Accepted['as']>, asVersion: version };
  }
  throw notAcceptable(['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']);
}

export const notAcceptable = (types: readonly string[]) =>
  new StatusError({
    message: `only the following media types are accepted: ${types.join(', ')}`,
    reason: 'NotAcceptable',
    code: 406,
  });
