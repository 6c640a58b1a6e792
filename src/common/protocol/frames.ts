// Frames on a terminal's WebSocket: one opcode byte, then the payload. Binary only, so that what is typed or printed can never
// be mistaken for a message.

/** Byte counts, sizes and codes are big-endian. */
export const Op = {
  /** server → page: raw bytes from the pty. */
  output: 1,
  /** page → server: raw bytes for the pty. */
  input: 2,
  /** page → server: u32, how many output bytes xterm has parsed since the last ack. */
  ack: 3,
  /** page → server: u16 columns, u16 rows. server → page: the size that all viewers of this terminal now share. */
  resize: 4,
  /** server → page: u16 columns, u16 rows, then the serialised screen. Sent once on attach; input is mute until it is drawn. */
  screen: 5,
  /** server → page: i32 exit code; the shell has ended. */
  exit: 6,
  /** server → page: u8 state (0 at a prompt, 1 running), then, at a prompt, i32 exit code of the last command. */
  command: 7,
  /** page → server: run this text as if typed (UTF-8). Only honoured at a prompt; the server strips control bytes. */
  run: 8,
  /** server → page: UTF-8 sentence why a `run` was not done. */
  refused: 9,
} as const;

export type Opcode = (typeof Op)[keyof typeof Op];

/** Largest payload either side accepts, in bytes. */
export const MAX_FRAME = 256 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function frame(op: Opcode, payload: Uint8Array | string = new Uint8Array()): Uint8Array<ArrayBuffer> {
  const bytes = typeof payload === 'string' ? encoder.encode(payload) : payload;
  const out = new Uint8Array(1 + bytes.length);
  out[0] = op;
  out.set(bytes, 1);
  return out;
}

export function sizeFrame(cols: number, rows: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(5);
  const view = new DataView(out.buffer);
  view.setUint8(0, Op.resize);
  view.setUint16(1, cols);
  view.setUint16(3, rows);
  return out;
}

export function screenFrame(cols: number, rows: number, screen: string): Uint8Array<ArrayBuffer> {
  const text = encoder.encode(screen);
  const out = new Uint8Array(5 + text.length);
  const view = new DataView(out.buffer);
  view.setUint8(0, Op.screen);
  view.setUint16(1, cols);
  view.setUint16(3, rows);
  out.set(text, 5);
  return out;
}

export function ackFrame(bytes: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(5);
  const view = new DataView(out.buffer);
  view.setUint8(0, Op.ack);
  view.setUint32(1, bytes);
  return out;
}

export function exitFrame(code: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(5);
  const view = new DataView(out.buffer);
  view.setUint8(0, Op.exit);
  view.setInt32(1, code);
  return out;
}

export function commandFrame(running: boolean, exitCode?: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(exitCode === undefined ? 2 : 6);
  const view = new DataView(out.buffer);
  view.setUint8(0, Op.command);
  view.setUint8(1, running ? 1 : 0);
  if (exitCode !== undefined) view.setInt32(2, exitCode);
  return out;
}

export type Frame =
  | { op: 'output' | 'input'; bytes: Uint8Array }
  | { op: 'ack'; bytes: number }
  | { op: 'resize'; cols: number; rows: number }
  | { op: 'screen'; cols: number; rows: number; screen: string }
  | { op: 'exit'; code: number }
  | { op: 'command'; running: boolean; exitCode?: number }
  | { op: 'run' | 'refused'; text: string };

/** Reads one frame; undefined for anything that is not exactly one (the receiver closes the socket). */
export function parseFrame(data: Uint8Array): Frame | undefined {
  if (data.length < 1 || data.length > 1 + MAX_FRAME) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const rest = data.subarray(1);
  switch (data[0]) {
    case Op.output:
      return { op: 'output', bytes: rest };
    case Op.input:
      return { op: 'input', bytes: rest };
    case Op.ack:
      return rest.length === 4 ? { op: 'ack', bytes: view.getUint32(1) } : undefined;
    case Op.resize:
      return rest.length === 4
        ? { op: 'resize', cols: view.getUint16(1), rows: view.getUint16(3) }
        : undefined;
    case Op.screen:
      return rest.length >= 4
        ? {
            op: 'screen',
            cols: view.getUint16(1),
            rows: view.getUint16(3),
            screen: decoder.decode(rest.subarray(4)),
          }
        : undefined;
    case Op.exit:
      return rest.length === 4 ? { op: 'exit', code: view.getInt32(1) } : undefined;
    case Op.command:
      if (rest.length === 1) return { op: 'command', running: rest[0] === 1 };
      return rest.length === 5
        ? { op: 'command', running: rest[0] === 1, exitCode: view.getInt32(2) }
        : undefined;
    case Op.run:
      return { op: 'run', text: decoder.decode(rest) };
    case Op.refused:
      return { op: 'refused', text: decoder.decode(rest) };
    default:
      return undefined;
  }
}
