// The few ASN.1 DER forms that X.509 certificates need. Knows no certificate: it only turns values into bytes.

const SEQUENCE = 0x30;
const SET = 0x31;

/** One tag-length-value; `tag` is the whole identifier byte. */
function tlv(tag: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length: number[] = [];
  for (let rest = body.length; rest > 0; rest = Math.floor(rest / 256)) length.unshift(rest % 256);
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length, ...length]), body]);
}

export const sequence = (...content: Uint8Array[]) => tlv(SEQUENCE, ...content);
export const set = (...content: Uint8Array[]) => tlv(SET, ...content);
export const octetString = (content: Uint8Array) => tlv(0x04, content);
export const bitString = (content: Uint8Array, unusedBits = 0) =>
  tlv(0x03, Buffer.from([unusedBits]), content);
export const boolean = (value: boolean) => tlv(0x01, Buffer.from([value ? 0xff : 0]));
export const utf8String = (text: string) => tlv(0x0c, Buffer.from(text, 'utf8'));
/** `[number]` constructed. */
export const explicit = (number: number, ...content: Uint8Array[]) => tlv(0xa0 | number, ...content);
/** `[number]` primitive. */
export const implicit = (number: number, content: Uint8Array) => tlv(0x80 | number, content);

/** A non-negative whole number given as big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex(byte => byte !== 0);
  const trimmed = first < 0 ? Uint8Array.of(0) : bytes.subarray(first);
  return tlv(0x02, (trimmed[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), trimmed]) : trimmed);
}

/** `1.2.840.10045.4.3.2`. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes: number[] = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 0x7f];
    for (let value = Math.floor(part / 128); value > 0; value = Math.floor(value / 128)) {
      groups.unshift((value & 0x7f) | 0x80);
    }
    bytes.push(...groups);
  }
  return tlv(0x06, Buffer.from(bytes));
}

/** RFC 5280: UTCTime up to 2049, GeneralizedTime after. `ms` since the epoch. */
export function time(ms: number): Buffer {
  const digits = `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
  const year = Number(digits.slice(0, 4));
  return year < 2050 ? tlv(0x17, Buffer.from(digits.slice(2))) : tlv(0x18, Buffer.from(digits));
}
