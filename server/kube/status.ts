// Upstream's Status object and the error that carries it. One constructor a kind of failure, with upstream's words
// (apimachinery pkg/api/errors); whoever speaks to a person or to the wire turns any error into a Status here.

import { groupResource } from './object.ts';

export interface StatusCause {
  reason: string;
  message: string;
  field?: string;
}

export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: { resourceVersion?: string; continue?: string };
  status: 'Success' | 'Failure';
  message?: string;
  reason?: string;
  details?: {
    name?: string;
    group?: string;
    kind?: string;
    uid?: string;
    causes?: StatusCause[];
    retryAfterSeconds?: number;
  };
  code: number;
}

/** Names the resource an error is about; group '' for core. */
export interface ErrorSubject {
  group: string;
  resource: string;
}

/** An API error: throw it anywhere below the wire, it arrives as the Status it holds. */
export class StatusError extends Error {
  readonly status: Status;
  constructor(status: Omit<Status, 'kind' | 'apiVersion' | 'metadata' | 'status'>) {
    super(status.message ?? '');
    this.name = 'StatusError';
    this.status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', ...status };
  }
  get code(): number {
    return this.status.code;
  }
  get reason(): string {
    return this.status.reason ?? '';
  }
}

/** One finding of validation; `value` is shown as Go would print it (see `invalid`). */
export interface FieldError {
  /** `spec.containers[0].name`. */
  field: string;
  type:
    | 'Required'
    | 'Invalid'
    | 'NotSupported'
    | 'Duplicate'
    | 'Forbidden'
    | 'TooLong'
    | 'TooMany'
    | 'NotFound'
    | 'TypeInvalid'
    | 'Internal';
  /** The whole text after `field: `, e.g. `Required value` or `Invalid value: "X": must be …`. Built by `kube/field-error.ts`. */
  message: string;
}

const details = (r: ErrorSubject, name?: string) => ({
  ...(name ? { name } : {}),
  ...(r.group ? { group: r.group } : {}),
  kind: r.resource,
});

export const notFound = (r: ErrorSubject, name: string) =>
  new StatusError({
    message: `${groupResource(r)} "${name}" not found`,
    reason: 'NotFound',
    details: details(r, name),
    code: 404,
  });

export const alreadyExists = (r: ErrorSubject, name: string) =>
  new StatusError({
    message: `${groupResource(r)} "${name}" already exists`,
    reason: 'AlreadyExists',
    details: details(r, name),
    code: 409,
  });

export const conflict = (r: ErrorSubject, name: string, why: string) =>
  new StatusError({
    message: `Operation cannot be fulfilled on ${groupResource(r)} "${name}": ${why}`,
    reason: 'Conflict',
    details: details(r, name),
    code: 409,
  });

/** The text upstream gives when a resourceVersion is stale. */
export const OBJECT_MODIFIED =
  'the object has been modified; please apply your changes to the latest version and try again';

export const forbidden = (r: ErrorSubject, name: string, why: string) =>
  new StatusError({
    message: name
      ? `${groupResource(r)} "${name}" is forbidden: ${why}`
      : `${groupResource(r)} is forbidden: ${why}`,
    reason: 'Forbidden',
    details: details(r, name),
    code: 403,
  });

export const badRequest = (message: string) => new StatusError({ message, reason: 'BadRequest', code: 400 });

export const unauthorized = () =>
  new StatusError({ message: 'Unauthorized', reason: 'Unauthorized', code: 401 });

export const methodNotAllowed = (
  message = 'the server does not allow this method on the requested resource',
) => new StatusError({ message, reason: 'MethodNotAllowed', details: {}, code: 405 });

export const internalError = (message: string) =>
  new StatusError({
    message: `Internal error occurred: ${message}`,
    reason: 'InternalError',
    details: { causes: [{ reason: '', message }] },
    code: 500,
  });

export const expired = (message: string) => new StatusError({ message, reason: 'Expired', code: 410 });

const CAUSE_REASON: Record<FieldError['type'], string> = {
  Required: 'FieldValueRequired',
  Invalid: 'FieldValueInvalid',
  NotSupported: 'FieldValueNotSupported',
  Duplicate: 'FieldValueDuplicate',
  Forbidden: 'FieldValueForbidden',
  TooLong: 'FieldValueTooLong',
  TooMany: 'FieldValueTooMany',
  NotFound: 'FieldValueNotFound',
  TypeInvalid: 'FieldValueTypeInvalid',
  Internal: 'InternalError',
};

/** 422: `Kind.group "name" is invalid: field: text`, several findings as `[a, b]`. */
export function invalid(
  k: { group: string; kind: string },
  name: string,
  findings: FieldError[],
): StatusError {
  const texts = findings.map(f => `${f.field}: ${f.message}`);
  const kind = k.group ? `${k.kind}.${k.group}` : k.kind;
  const body = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  return new StatusError({
    message: `${kind} "${name}" is invalid: ${body}`,
    reason: 'Invalid',
    details: {
      ...(name ? { name } : {}),
      ...(k.group ? { group: k.group } : {}),
      kind: k.kind,
      causes: findings.map(f => ({ reason: CAUSE_REASON[f.type], message: f.message, field: f.field })),
    },
    code: 422,
  });
}

/** Any thrown value as the Status the wire sends; what is not ours is an InternalError, never a crash. */
export function toStatus(error: unknown): Status {
  if (error instanceof StatusError) return error.status;
  return internalError(error instanceof Error ? error.message : String(error)).status;
}
