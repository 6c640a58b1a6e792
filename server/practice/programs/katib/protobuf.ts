// Just enough of protobuf for Katib's messages: texts, whole numbers, doubles, messages and lists of them. Knows no message.

type Kind = 'text' | 'integer' | 'double' | Message;

interface Field {
  number: number;
  kind: Kind;
  list?: true;
}

/** The fields of a message by name. */
export type Message = { readonly [name: string]: Field };

export const text = (number: number): Field => ({ number, kind: 'text' });
export const integer = (number: number): Field => ({ number, kind: 'integer' });
export const double = (number: number): Field => ({ number, kind: 'double' });
export const of = (number: number, kind: Message): Field => ({ number, kind });
export const listOf = (number: number, kind: Kind): Field => ({ number, kind, list: true });

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Buffer.from([...bytes, rest]);
}

const tag = (number: number, wire: number) => varint(number * 8 + wire);

function one({ number, kind }: Field, value: unknown): Buffer {
  if (kind === 'integer') return Buffer.concat([tag(number, VARINT), varint(value as number)]);
  if (kind === 'double') {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value as number);
    return Buffer.concat([tag(number, FIXED64), bytes]);
  }
  const body = kind === 'text' ? Buffer.from(value as string) : encode(kind, value as object);
  return Buffer.concat([tag(number, BYTES), varint(body.length), body]);
}

/** Fields that the value lacks are left out, as are those that have their default. */
export function encode(message: Message, value: object): Buffer {
  const given = value as Record<string, unknown>;
  return Buffer.concat(
    Object.entries(message).flatMap(([name, field]) => {
      const held = given[name];
      if (field.list) return ((held ?? []) as unknown[]).map(item => one(field, item));
      return held === undefined || held === '' || held === 0 ? [] : [one(field, held)];
    }),
  );
}

/** Lists are always there; other fields that did not come are absent. Unknown fields are passed over. */
export function decode(message: Message, bytes: Buffer): any {
  const byNumber = new Map(Object.entries(message).map(([name, field]) => [field.number, { name, field }]));
  const value: Record<string, any> = {};
  for (const [name, { list }] of Object.entries(message)) if (list) value[name] = [];
  let at = 0;
  const number = () => {
    let found = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = bytes[at++] ?? 0;
      found += (byte & 0x7f) * scale;
      if (byte < 0x80) return found;
    }
  };
  while (at < bytes.length) {
    const key = number();
    const wire = key % 8;
    const known = byNumber.get(Math.floor(key / 8));
    let held: unknown;
    if (wire === VARINT) held = number();
    else if (wire === FIXED64) {
      held = bytes.readDoubleLE(at);
      at += 8;
    } else if (wire === BYTES) {
      const length = number();
      const body = bytes.subarray(at, at + length);
      at += length;
      const kind = known?.field.kind;
      held = typeof kind === 'object' ? decode(kind, body) : body.toString('utf8');
    } else throw new Error(`wire type ${wire} is not in use here`);
    if (!known) continue;
    if (known.field.list) value[known.name].push(held);
    else value[known.name] = held;
  }
  return value;
}
