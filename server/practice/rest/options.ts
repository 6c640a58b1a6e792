// Reads the query parameters that every verb shares, and refuses bad ones in upstream's words. Knows no kind.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { badRequest, type FieldError, invalid } from '../../kube/index.ts';
import type {
  DeleteRequest,
  FieldValidation,
  ListRequest,
  RequestContext,
  User,
  WatchRequest,
} from '../registry/types.ts';
import { isTrue } from './request-info.ts';
import type { IncludeObject } from './table.ts';

/** Bytes; longer managers are refused. */
const MAX_FIELD_MANAGER = 128;

const OPTIONS_KIND: Record<string, string> = {
  create: 'CreateOptions',
  update: 'UpdateOptions',
  patch: 'PatchOptions',
  delete: 'DeleteOptions',
  deletecollection: 'DeleteOptions',
};

/** Of an upgraded connection, which ends with its socket. */
export function connectContext(
  request: IncomingMessage,
  socket: Duplex,
  query: URLSearchParams,
  user: User,
): RequestContext {
  const abort = new AbortController();
  socket.once('close', () => abort.abort());
  return requestContext('connect', query, request.headers['user-agent'], user, () => {}, abort.signal);
}

/** What a write says about itself, checked. */
export function requestContext(
  verb: string,
  query: URLSearchParams,
  agent: string | undefined,
  user: User,
  warn: (text: string) => void,
  signal: AbortSignal,
): RequestContext {
  const given = query.get('fieldManager');
  const fieldValidation = query.get('fieldValidation') ?? '';
  const dryRun = query.getAll('dryRun').filter(value => value !== '');
  const kind = OPTIONS_KIND[verb];
  if (kind) {
    const findings: FieldError[] = [];
    if (given !== null && Buffer.byteLength(given) > MAX_FIELD_MANAGER) {
      findings.push({
        field: 'fieldManager',
        type: 'TooLong',
        message: `Too long: may not be more than ${MAX_FIELD_MANAGER} bytes`,
      });
    }
    checkDryRun(dryRun, findings);
    if (kind !== 'DeleteOptions' && !['', 'Ignore', 'Strict', 'Warn'].includes(fieldValidation)) {
      findings.push(unsupported('fieldValidation', fieldValidation, ['', 'Ignore', 'Strict', 'Warn']));
    }
    if (findings.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', findings);
  }
  return {
    user,
    fieldManager: given || managerFromAgent(agent),
    ...(given ? { fieldManagerGiven: true } : {}),
    ...(dryRun.length > 0 ? { dryRun: true } : {}),
    fieldValidation: (fieldValidation || 'Warn') as FieldValidation,
    warn,
    signal,
  };
}

/** `kubectl/v1.33.1 (linux/amd64) kubernetes/8adc0f0` is `kubectl`. */
function managerFromAgent(agent: string | undefined): string {
  const name = (agent ?? '').split('/')[0] ?? '';
  let manager = '';
  for (const char of name) {
    if (Buffer.byteLength(manager + char) > MAX_FIELD_MANAGER) break;
    if (char.charCodeAt(0) >= 0x20 && char.charCodeAt(0) !== 0x7f) manager += char;
  }
  return manager || 'unknown';
}

function unsupported(field: string, value: string, supported: readonly string[]): FieldError {
  const list = supported.map(item => `"${item}"`).join(', ');
  return {
    field,
    type: 'NotSupported',
    message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${list}`,
  };
}

function checkDryRun(values: readonly string[], findings: FieldError[]): void {
  for (const value of values) if (value !== 'All') findings.push(unsupported('dryRun', value, ['All']));
}

export function listRequest(query: URLSearchParams): ListRequest {
  const limit = wholeNumber(query.get('limit'));
  return {
    ...textOption(query, 'labelSelector'),
    ...textOption(query, 'fieldSelector'),
    ...textOption(query, 'continue'),
    ...textOption(query, 'resourceVersion', true),
    ...textOption(query, 'resourceVersionMatch'),
    ...(limit ? { limit } : {}),
  };
}

export function watchRequest(query: URLSearchParams): WatchRequest & { timeoutSeconds?: number } {
  const timeoutSeconds = wholeNumber(query.get('timeoutSeconds'));
  const sendInitialEvents = query.get('sendInitialEvents');
  return {
    ...textOption(query, 'labelSelector'),
    ...textOption(query, 'fieldSelector'),
    ...textOption(query, 'resourceVersion', true),
    ...textOption(query, 'resourceVersionMatch'),
    ...(isTrue(query.get('allowWatchBookmarks')) ? { allowWatchBookmarks: true } : {}),
    ...(sendInitialEvents !== null ? { sendInitialEvents: isTrue(sendInitialEvents) } : {}),
    ...(timeoutSeconds ? { timeoutSeconds } : {}),
  };
}

/** `body` is DeleteOptions as sent; the query counts where the body is silent. */
export function deleteRequest(query: URLSearchParams, body: unknown): DeleteRequest & { dryRun?: boolean } {
  const options = (body && typeof body === 'object' && !Array.isArray(body) ? body : {}) as Record<
    string,
    unknown
  >;
  const grace = options.gracePeriodSeconds ?? wholeNumber(query.get('gracePeriodSeconds'));
  const orphan =
    options.orphanDependents ??
    (query.has('orphanDependents') ? isTrue(query.get('orphanDependents')) : undefined);
  const policy = options.propagationPolicy ?? query.get('propagationPolicy') ?? undefined;
  const findings: FieldError[] = [];
  const dryRun = Array.isArray(options.dryRun) ? options.dryRun.map(String) : [];
  checkDryRun(dryRun, findings);
  if (policy !== undefined && orphan !== undefined && orphan !== null) {
    findings.push({
      field: 'propagationPolicy',
      type: 'Invalid',
      message: `Invalid value: ${JSON.stringify(policy)}: orphanDependents and deletionPropagation cannot be both set`,
    });
  } else if (policy !== undefined && !['Foreground', 'Background', 'Orphan'].includes(String(policy))) {
    findings.push(
      unsupported('propagationPolicy', String(policy), ['Foreground', 'Background', 'Orphan', 'nil']),
    );
  }
  if (findings.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', findings);
  if (grace !== undefined && grace !== null && !Number.isInteger(grace)) {
    throw badRequest(
      `DeleteOptions in version "v1" cannot be handled as a DeleteOptions: json: cannot unmarshal ${jsonType(grace)} into Go struct field DeleteOptions.gracePeriodSeconds of type int64`,
    );
  }
  const preconditions = options.preconditions as
    | { uid?: unknown; resourceVersion?: unknown }
    | null
    | undefined;
  return {
    ...(typeof grace === 'number' ? { gracePeriodSeconds: grace } : {}),
    ...(typeof policy === 'string' ? { propagationPolicy: policy } : {}),
    ...(typeof orphan === 'boolean' ? { orphanDependents: orphan } : {}),
    ...(preconditions && typeof preconditions === 'object'
      ? {
          preconditions: {
            ...(typeof preconditions.uid === 'string' ? { uid: preconditions.uid } : {}),
            ...(typeof preconditions.resourceVersion === 'string'
              ? { resourceVersion: preconditions.resourceVersion }
              : {}),
          },
        }
      : {}),
    ...(dryRun.length > 0 ? { dryRun: true } : {}),
  };
}

/** Which part of the object a table row carries. */
export function includeObject(query: URLSearchParams): IncludeObject {
  const value = query.get('includeObject') ?? '';
  if (value === '' || value === 'Metadata') return 'Metadata';
  if (value === 'None' || value === 'Object') return value;
  throw invalid({ group: 'meta.k8s.io', kind: 'TableOptions' }, '', [
    unsupported('includeObject', value, ['', 'Metadata', 'None', 'Object']),
  ]);
}

/** A Go integer parameter; absent and empty are undefined. */
export function wholeNumber(value: string | null): number | undefined {
  if (value === null || value === '') return undefined;
  if (!/^[+-]?\d{1,15}$/.test(value)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  }
  return Number(value);
}

function textOption<Name extends string>(
  query: URLSearchParams,
  name: Name,
  keepEmpty = false,
): { [key in Name]?: string } {
  const value = query.get(name);
  if (value === null || (value === '' && !keepEmpty)) return {};
  return { [name]: value } as { [key in Name]?: string };
}

function jsonType(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
