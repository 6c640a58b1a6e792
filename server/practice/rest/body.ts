// Reads a request body: its size limit, its media type, JSON, YAML or protobuf. Knows no kind; what the value must be is
// the registry's business.

import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import { badRequest, type PatchType, StatusError } from '../../kube/index.ts';
import type { RequestBody } from '../registry/types.ts';
import { scanJson } from './json-scan.ts';
import { decodeProtobuf, PROTOBUF_MEDIA_TYPE } from './protobuf/decode.ts';

/** kube-apiserver's default, bytes. */
const MAX_BODY_BYTES = 3 * 1024 * 1024;

const PATCH_TYPES: Record<string, PatchType> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

export type WireRequest = IncomingMessage | Http2ServerRequest;

/** The whole body, or a 413. A client that goes away half-way rejects with a plain error nobody will read. */
export function readBody(request: WireRequest): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const done = (finish: () => void) => {
      request.removeListener('data', onData);
      finish();
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_BODY_BYTES) return void chunks.push(chunk);
      // What still comes is thrown away, so that the client gets to read the answer.
      done(() => reject(tooLarge()));
      request.resume();
    };
    request.on('data', onData);
    request.once('end', () => done(() => resolve(Buffer.concat(chunks))));
    request.once('error', error => done(() => reject(error)));
    request.once('aborted', () => done(() => reject(new Error('The client went away.'))));
    request.once('close', () => done(() => reject(new Error('The client went away.'))));
  });
}

const tooLarge = () =>
  new StatusError({
    message: `Request entity too large: limit is ${MAX_BODY_BYTES}`,
    reason: 'RequestEntityTooLarge',
    code: 413,
  });

export function mediaType(header: string | undefined): string {
  return (header ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

const unsupported = (types: readonly string[]) =>
  new StatusError({
    message: `the body of the request was in an unknown format - accepted media types include: ${types.join(', ')}`,
    reason: 'UnsupportedMediaType',
    code: 415,
  });

/** The body of a create, update or delete. An absent Content-Type counts as JSON, as upstream. */
export async function decodeObject(
  bytes: Buffer,
  contentType: string | undefined,
  kind: string,
): Promise<RequestBody> {
  switch (mediaType(contentType)) {
    case '':
    case 'application/json':
      return decodeJson(bytes, kind);
    case 'application/yaml':
      return decodeYaml(bytes, message => unrecognized(kind, message, bytes));
    case PROTOBUF_MEDIA_TYPE:
      return { value: decodeProtobuf(bytes) };
    default:
      throw unsupported(['application/json', 'application/yaml', PROTOBUF_MEDIA_TYPE]);
  }
}

/** The kind of patch that a Content-Type names; custom resources have no strategic one. */
export function patchTypeOf(contentType: string | undefined, custom: boolean): PatchType {
  const type = PATCH_TYPES[mediaType(contentType)];
  if (type && !(custom && type === 'strategic')) return type;
  const accepted = Object.keys(PATCH_TYPES).filter(name => !(custom && PATCH_TYPES[name] === 'strategic'));
  throw unsupported(accepted);
}

export async function decodePatch(bytes: Buffer, type: PatchType): Promise<RequestBody> {
  if (type === 'apply') return decodeYaml(bytes, message => badRequest(`error decoding YAML: ${message}`));
  const text = bytes.toString('utf8');
  const scan = scanJson(text);
  if (scan.error !== undefined) {
    throw badRequest(
      type === 'json' ? `error decoding patch: ${scan.error}` : `error decoding patch: ${scan.error}`,
    );
  }
  return { value: JSON.parse(text), duplicateFields: scan.duplicates };
}

function decodeJson(bytes: Buffer, kind: string): RequestBody {
  const text = bytes.toString('utf8');
  const scan = scanJson(text);
  if (scan.error !== undefined) {
    throw unrecognized(kind, `couldn't get version/kind; json parse error: ${scan.error}`, bytes);
  }
  const value: unknown = JSON.parse(text);
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    const what = Array.isArray(value)
      ? 'array'
      : value === null
        ? 'null'
        : value === true || value === false
          ? 'bool'
          : typeof value;
    throw unrecognized(
      kind,
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${what} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
      bytes,
    );
  }
  return { value, duplicateFields: scan.duplicates };
}

/** JSON is YAML, and most "YAML" bodies are JSON: the parser is only loaded when a body really is YAML. */
async function decodeYaml(bytes: Buffer, fail: (message: string) => StatusError): Promise<RequestBody> {
  const text = bytes.toString('utf8');
  if (text.trimStart().startsWith('{')) {
    const scan = scanJson(text);
    if (scan.error === undefined) return { value: JSON.parse(text), duplicateFields: scan.duplicates };
    if (scan.error === 'exceeded max depth') throw fail(scan.error);
  }
  const { parseYaml } = await import('./yaml.ts');
  const result = parseYaml(text);
  if ('error' in result) throw fail(result.error);
  return result;
}

/** What upstream says to bytes that are no object of the expected kind. */
function unrecognized(kind: string, why: string, bytes: Buffer): StatusError {
  return badRequest(
    `the object provided is unrecognized (must be of type ${kind}): ${why} (${summary(bytes)})`,
  );
}

function summary(bytes: Buffer): string {
  const limit = 30;
  if (bytes.length === 0) return '<empty>';
  const cut = bytes.subarray(0, limit);
  const shown = bytes[0] === 0x7b ? cut.toString('utf8') : cut.toString('hex');
  return bytes.length > limit ? `${shown} ...` : shown;
}
