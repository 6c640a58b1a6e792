// Finds the shell's own marks (OSC 633) in a stream of bytes and takes them out. Knows the marks' grammar, not their use.
//
// Ours carry a nonce in each mark, so that a file printed with `cat` cannot pretend to be a prompt:
//   ESC ] 633 ; A ; nonce BEL                 a prompt begins        ESC ] 633 ; B ; nonce BEL   it is drawn
//   ESC ] 633 ; E ; command line ; nonce BEL  what is about to run   ESC ] 633 ; C ; nonce BEL   it runs
//   ESC ] 633 ; D ; exit code ; nonce BEL     it has ended           ESC ] 633 ; P ; Cwd=path ; nonce BEL

export type Mark =
  | { kind: 'prompt-begins' | 'prompt' | 'runs' }
  | { kind: 'line'; line: string }
  | { kind: 'ended'; code: number }
  | { kind: 'cwd'; path: string };

export type Piece = { bytes: Uint8Array } | { mark: Mark };

/** A longer sequence is not one of ours (a command line of 8,000 characters fits) and passes through unread. */
const LONGEST_MARK = 64 * 1024;

const START = Buffer.from('\x1b]633;', 'latin1');
const ESC = 0x1b;
const BEL = 0x07;
const BACKSLASH = 0x5c;

/** Feeds on chunks as they come; a mark cut in two by a chunk's end is found all the same. */
export function createMarkReader(nonce: string): (chunk: Uint8Array) => Piece[] {
  let held = Buffer.alloc(0);
  return chunk => {
    let data =
      held.length > 0
        ? Buffer.concat([held, chunk])
        : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    held = Buffer.alloc(0);
    const pieces: Piece[] = [];
    const pass = (bytes: Buffer) => {
      if (bytes.length > 0) pieces.push({ bytes });
    };
    while (data.length > 0) {
      const start = data.indexOf(START);
      if (start < 0) {
        const cut = data.length - partialStart(data);
        pass(data.subarray(0, cut));
        held = Buffer.from(data.subarray(cut));
        return pieces;
      }
      const end = endOfSequence(data, start + START.length);
      if (!end) {
        pass(data.subarray(0, start));
        if (data.length - start > LONGEST_MARK) pass(data.subarray(start));
        else held = Buffer.from(data.subarray(start));
        return pieces;
      }
      pass(data.subarray(0, start));
      const mark = readMark(data.subarray(start + START.length, end.at).toString('utf8'), nonce);
      if (mark) pieces.push({ mark });
      data = data.subarray(end.next);
    }
    return pieces;
  };
}

/** How many bytes at the end could be the beginning of a mark. */
function partialStart(data: Buffer): number {
  for (let length = Math.min(START.length - 1, data.length); length > 0; length--) {
    if (data.subarray(data.length - length).equals(START.subarray(0, length))) return length;
  }
  return 0;
}

function endOfSequence(data: Buffer, from: number): { at: number; next: number } | undefined {
  for (let i = from; i < data.length; i++) {
    if (data[i] === BEL) return { at: i, next: i + 1 };
    if (data[i] === ESC && data[i + 1] === BACKSLASH) return { at: i, next: i + 2 };
  }
  return undefined;
}

function readMark(body: string, nonce: string): Mark | undefined {
  const parts = body.split(';');
  if (parts.pop() !== nonce) return undefined;
  const [letter, value = ''] = parts;
  switch (letter) {
    case 'A':
      return { kind: 'prompt-begins' };
    case 'B':
      return { kind: 'prompt' };
    case 'C':
      return { kind: 'runs' };
    case 'D':
      return /^\d{1,3}$/.test(value) ? { kind: 'ended', code: Number(value) } : undefined;
    case 'E':
      return { kind: 'line', line: unescapeMark(value) };
    case 'P':
      return value.startsWith('Cwd=') ? { kind: 'cwd', path: unescapeMark(value.slice(4)) } : undefined;
    default:
      return undefined;
  }
}

/** `\\` is a backslash, `\x3b` the byte 3b: what the shell side writes so that a line fits into one mark. */
function unescapeMark(text: string): string {
  return text.replace(/\\(?:\\|x([0-9a-fA-F]{2}))/g, (_, hex?: string) =>
    hex ? String.fromCharCode(Number.parseInt(hex, 16)) : '\\',
  );
}
