// Turns a protobuf request body (application/vnd.kubernetes.protobuf) into the JSON value it stands for, driven by the
// field table in messages.json. Knows the wire format and Go's omitempty rule, no kind in particular.

import { readFileSync } from 'node:fs';
import { badRequest, StatusError } from '../../../kube/index.ts';

export const PROTOBUF_MEDIA_TYPE = 'application/vnd.kubernetes.protobuf';

/** `k8s\0`, before the envelope message. */
const MAGIC = Buffer.from([0x6b, 0x38, 0x73, 0x00]);
/** Deeper messages than any type has. */
const MAX_DEPTH = 200;

interface Field {
  name: string;
  /** Full message name, or a scalar. */
  type: string;
  repeated: boolean;
  /** Value type of a map<string, …>. */
  map: boolean;
  /** Members belong to the parent (Go embedding). */
  inlined: boolean;
  /** A zero value on the wire is dropped (json omitempty on a non-pointer). */
  dropZero: boolean;
}

/**
 * `file`: one line a message, `NUMBER:jsonName:type[flags]` joined by `;`. Flags: * repeated, ? Go pointer, i inlined,
 * ! without omitempty. A type that starts with a dot is in the message's own package.
 */
let texts: Record<string, string> | undefined;
const parsed = new Map<string, Map<number, Field>>();

function fieldsOf(message: string): Map<number, Field> | undefined {
  const known = parsed.get(message);
  if (known) return known;
  texts ??= JSON.parse(readFileSync(new URL('./messages.json', import.meta.url), 'utf8')) as Record<
    string,
    string
  >;
  const text = texts[message];
  if (text === undefined) return undefined;
  const prefix = message.slice(0, message.lastIndexOf('.'));
  const fields = new Map<number, Field>();
  for (const item of text === '' ? [] : text.split(';')) {
    const match = /^(\d+):([^:]*):(.*?)([*?!i]*)$/.exec(item);
    if (!match) throw new Error(`messages.json: ${message} has the unreadable field ${item}.`);
    const [, number = '', name = '', rawType = '', flags = ''] = match;
    const map = /^map<(.*)>$/.exec(rawType);
    const type = map?.[1] ?? rawType;
    fields.set(Number(number), {
      name,
      type: type.startsWith('.') ? prefix + type : type,
      repeated: flags.includes('*'),
      map: map !== null,
      inlined: flags.includes('i'),
      dropZero: !flags.includes('?') && !flags.includes('!'),
    });
  }
  parsed.set(message, fields);
  return fields;
}

/** The object in an enveloped body, apiVersion and kind included; throws a 400 in upstream's manner for anything else. */
export function decodeProtobuf(body: Uint8Array): Record<string, unknown> {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (!bytes.subarray(0, 4).equals(MAGIC)) {
    throw badRequest(
      'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
    );
  }
  try {
    return decodeEnvelope(bytes.subarray(4));
  } catch (error) {
    if (error instanceof MalformedError) throw badRequest(error.message);
    throw error;
  }
}

class MalformedError extends Error {}

function decodeEnvelope(bytes: Buffer): Record<string, unknown> {
  let apiVersion = '';
  let kind = '';
  let raw: Buffer = Buffer.alloc(0);
  for (const { number, value } of wire(bytes)) {
    if (number === 1 && Buffer.isBuffer(value)) {
      for (const member of wire(value)) {
        if (member.number === 1) apiVersion = text(member.value);
        if (member.number === 2) kind = text(member.value);
      }
    } else if (number === 2 && Buffer.isBuffer(value)) raw = value;
  }
  const message = messageFor(apiVersion, kind);
  if (!message) {
    if (!kind) throw new MalformedError('unable to decode the envelope: no kind');
    // Upstream's answer for custom kinds, which have no protobuf form either: a client may send JSON then.
    throw new StatusError({
      message:
        'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml',
      reason: 'UnsupportedMediaType',
      details: {},
      code: 415,
    });
  }
  return { kind, apiVersion, ...(decodeMessage(message, raw, 0) as Record<string, unknown>) };
}

/**
 * Packages are called after the first label of the group, which custom kinds' groups may have as well; the options and
 * Status of every group are meta's.
 */
function messageFor(apiVersion: string, kind: string): string | undefined {
  const [group = '', version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  if (!group.includes('.') || group.endsWith('.k8s.io')) {
    const own = `${group === '' ? 'core' : group.split('.')[0]}.${version}.${kind}`;
    if (fieldsOf(own)) return own;
  }
  return fieldsOf(`meta.${kind}`) ? `meta.${kind}` : undefined;
}

/** Messages whose JSON is not an object of their fields. */
const SPECIAL: Record<string, (bytes: Buffer, depth: number) => unknown> = {
  'res.Quantity': bytes => text(first(bytes, 1)),
  'intstr.IntOrString': bytes => {
    const kind = number(first(bytes, 1));
    return kind === 1 ? text(first(bytes, 3)) : number(first(bytes, 2));
  },
  'meta.Time': bytes => instant(bytes, 0),
  'meta.MicroTime': bytes => instant(bytes, 6),
  'meta.Duration': bytes => goDuration(signed(first(bytes, 1))),
  'meta.FieldsV1': bytes => json(first(bytes, 1)),
  'runtime.RawExtension': bytes => json(first(bytes, 1)),
  'apiextensions.v1.JSON': bytes => json(first(bytes, 1)),
  'apiextensions.v1.JSONSchemaPropsOrBool': (bytes, depth) => {
    const schema = first(bytes, 2);
    return Buffer.isBuffer(schema)
      ? decodeMessage('apiextensions.v1.JSONSchemaProps', schema, depth + 1)
      : number(first(bytes, 1)) !== 0;
  },
  'apiextensions.v1.JSONSchemaPropsOrArray': (bytes, depth) => {
    const schema = first(bytes, 1);
    if (Buffer.isBuffer(schema)) return decodeMessage('apiextensions.v1.JSONSchemaProps', schema, depth + 1);
    return every(bytes, 2).map(item =>
      decodeMessage('apiextensions.v1.JSONSchemaProps', bytesOf(item), depth + 1),
    );
  },
  'apiextensions.v1.JSONSchemaPropsOrStringArray': (bytes, depth) => {
    const schema = first(bytes, 1);
    return Buffer.isBuffer(schema)
      ? decodeMessage('apiextensions.v1.JSONSchemaProps', schema, depth + 1)
      : every(bytes, 2).map(text);
  },
  'meta.Verbs': bytes => every(bytes, 1).map(text),
  'authentication.v1.ExtraValue': bytes => every(bytes, 1).map(text),
  'authorization.v1.ExtraValue': bytes => every(bytes, 1).map(text),
  'certificates.v1.ExtraValue': bytes => every(bytes, 1).map(text),
};

function decodeMessage(message: string, bytes: Buffer, depth: number): unknown {
  if (depth > MAX_DEPTH) throw new MalformedError('exceeded max depth');
  const special = SPECIAL[message];
  if (special) return special(bytes, depth);
  const fields = fieldsOf(message);
  if (!fields) throw new Error(`messages.json has no message ${message}.`);
  const result: Record<string, unknown> = {};
  for (const { number: id, type, value } of wire(bytes)) {
    const field = fields.get(id);
    if (!field) continue;
    if (field.map) {
      const entry = bytesOf(value);
      const key = text(first(entry, 1));
      result[field.name] ??= {};
      const target = result[field.name] as Record<string, unknown>;
      const raw = first(entry, 2);
      Object.defineProperty(target, key, {
        value: raw === undefined ? zero(field.type) : decodeValue(field.type, raw, depth),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    } else if (field.repeated) {
      result[field.name] ??= [];
      const list = result[field.name] as unknown[];
      // A packed list of numbers is one field of bytes.
      if (type === 2 && isNumeric(field.type))
        for (const item of packed(bytesOf(value))) list.push(decodeValue(field.type, item, depth));
      else list.push(decodeValue(field.type, value, depth));
    } else {
      const decoded = decodeValue(field.type, value, depth);
      if (field.inlined) Object.assign(result, decoded);
      else if (!(field.dropZero && isZero(decoded, field.type))) result[field.name] = decoded;
    }
  }
  return result;
}

const isNumeric = (type: string) => type === 'int32' || type === 'int64' || type === 'bool';

function isZero(value: unknown, type: string): boolean {
  if (value === '' || value === 0 || value === false) return true;
  // metadata.creationTimestamp is sent as an empty message by clients and means "not yet".
  return value === null && (type === 'meta.Time' || type === 'meta.MicroTime');
}

function zero(type: string): unknown {
  if (type === 'string' || type === 'bytes') return '';
  if (type === 'bool') return false;
  return isNumeric(type) || type === 'double' ? 0 : decodeMessage(type, Buffer.alloc(0), 0);
}

type WireValue = bigint | Buffer | number;

function decodeValue(type: string, value: WireValue, depth: number): unknown {
  switch (type) {
    case 'string':
      return text(value);
    case 'bytes':
      return bytesOf(value).toString('base64');
    case 'bool':
      return number(value) !== 0;
    case 'int32':
    case 'int64':
      return Number(signed(value));
    case 'double':
      return typeof value === 'number' ? value : Number(value);
    default:
      return decodeMessage(type, bytesOf(value), depth + 1);
  }
}

/** The fields of one message in wire order. */
function* wire(bytes: Buffer): Generator<{ number: number; type: number; value: WireValue }> {
  let at = 0;
  const varint = (): bigint => {
    let result = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new MalformedError('unexpected EOF');
      result |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return result;
    }
    throw new MalformedError('proto: integer overflow');
  };
  while (at < bytes.length) {
    const tag = varint();
    const id = Number(tag >> 3n);
    const type = Number(tag & 7n);
    if (id === 0) throw new MalformedError(`proto: illegal tag ${id} (wire type ${tag})`);
    if (type === 0) yield { number: id, type, value: varint() };
    else if (type === 2) {
      const length = Number(varint());
      if (at + length > bytes.length) throw new MalformedError('unexpected EOF');
      yield { number: id, type, value: bytes.subarray(at, at + length) };
      at += length;
    } else if (type === 1 || type === 5) {
      const size = type === 1 ? 8 : 4;
      if (at + size > bytes.length) throw new MalformedError('unexpected EOF');
      yield { number: id, type, value: size === 8 ? bytes.readDoubleLE(at) : bytes.readFloatLE(at) };
      at += size;
    } else throw new MalformedError(`proto: illegal wireType ${type}`);
  }
}

function first(bytes: Buffer, id: number): WireValue | undefined {
  for (const field of wire(bytes)) if (field.number === id) return field.value;
  return undefined;
}

function every(bytes: Buffer, id: number): WireValue[] {
  return [...wire(bytes)].filter(field => field.number === id).map(field => field.value);
}

function packed(bytes: Buffer): bigint[] {
  const numbers: bigint[] = [];
  let current = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    current |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) {
      numbers.push(current);
      current = 0n;
      shift = 0n;
    } else shift += 7n;
  }
  return numbers;
}

function bytesOf(value: WireValue): Buffer {
  if (!Buffer.isBuffer(value)) throw new MalformedError('proto: wrong wireType for a length-delimited field');
  return value;
}

function text(value: WireValue | undefined): string {
  return value === undefined ? '' : bytesOf(value).toString('utf8');
}

function signed(value: WireValue | undefined): bigint {
  if (value === undefined) return 0n;
  if (typeof value !== 'bigint') throw new MalformedError('proto: wrong wireType for a number');
  return BigInt.asIntN(64, value);
}

const number = (value: WireValue | undefined): number => Number(signed(value));

function json(value: WireValue | undefined): unknown {
  const content = text(value);
  if (content === '') return null;
  try {
    return JSON.parse(content);
  } catch {
    throw new MalformedError('a raw member of the message is not JSON');
  }
}

/** Time{1: seconds, 2: nanos}; an empty message is Go's zero time, JSON null. */
function instant(bytes: Buffer, decimals: 0 | 6): string | null {
  const seconds = first(bytes, 1);
  const nanos = number(first(bytes, 2));
  if (seconds === undefined && nanos === 0) return null;
  const milliseconds = Number(signed(seconds)) * 1000;
  if (Math.abs(milliseconds) > 8.64e15) throw new MalformedError('a time is out of range');
  const whole = new Date(milliseconds).toISOString().slice(0, 19);
  return decimals === 0
    ? `${whole}Z`
    : `${whole}.${Math.floor(nanos / 1000)
        .toString()
        .padStart(6, '0')}Z`;
}

/** Go's Duration.String for whole numbers of nanoseconds: `1h0m0s`, `1.5s`, `300ms`. */
function goDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s';
  const sign = nanoseconds < 0n ? '-' : '';
  const total = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (total < 1_000_000_000n) {
    const [unit, size] = total < 1000n ? ['ns', 1n] : total < 1_000_000n ? ['µs', 1000n] : ['ms', 1_000_000n];
    return `${sign}${Number(total) / Number(size as bigint)}${unit}`;
  }
  const seconds = Number(total % 60_000_000_000n) / 1e9;
  const minutes = total / 60_000_000_000n;
  const hours = minutes / 60n;
  if (minutes === 0n) return `${sign}${seconds}s`;
  return hours === 0n ? `${sign}${minutes}m${seconds}s` : `${sign}${hours}h${minutes % 60n}m${seconds}s`;
}
