// Writes protobuf for tests, field by field: what a client would send, told by numbers alone. Knows no message.

/** A list repeats its field; nested fields are a message of their own. */
export type Value = string | number | boolean | Uint8Array | Fields | readonly Value[];

/** Values by field number. */
export interface Fields {
  readonly [number: number]: Value;
}

/** A request body: the prefix, the envelope and the object in it. */
export const protobufBody = (apiVersion: string, kind: string, object: Fields): Buffer =>
  Buffer.concat([Buffer.from('k8s\0'), message({ 1: { 1: apiVersion, 2: kind }, 2: object })]);

/** The entries of a map field. */
export const entries = (map: Record<string, Value>): Value[] =>
  Object.entries(map).map(([key, value]) => ({ 1: key, 2: value }));

/** Bare varints, as a packed list holds them. */
export const packed = (numbers: readonly number[]): Buffer => Buffer.concat(numbers.map(varint));

function message(fields: Fields): Buffer {
  return Buffer.concat(Object.entries(fields).map(([number, value]) => field(Number(number), value)));
}

function field(number: number, value: Value): Buffer {
  if (Array.isArray(value)) return Buffer.concat(value.map((item: Value) => field(number, item)));
  if (typeof value === 'number' || typeof value === 'boolean')
    return Buffer.concat([varint(number * 8), varint(Number(value))]);
  const bytes =
    typeof value === 'string'
      ? Buffer.from(value)
      : value instanceof Uint8Array
        ? value
        : message(value as Fields);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}
