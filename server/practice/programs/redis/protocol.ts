// Redis' wire format (RESP 2), both sides. Knows no commands.

/** A simple string, an error, a number, a text or nothing, or a list of these. */
export type Reply =
  | { kind: 'status' | 'error'; text: string }
  | { kind: 'number'; value: number }
  | { kind: 'text'; text: string | null }
  | { kind: 'list'; items: Reply[] };

export const OK: Reply = { kind: 'status', text: 'OK' };
export const error = (text: string): Reply => ({ kind: 'error', text });
export const number = (value: number): Reply => ({ kind: 'number', value });
export const text = (value: string | undefined | null): Reply => ({ kind: 'text', text: value ?? null });
export const list = (values: readonly string[]): Reply => ({ kind: 'list', items: values.map(text) });

export function encode(reply: Reply): string {
  switch (reply.kind) {
    case 'status':
      return `+${reply.text}\r\n`;
    case 'error':
      return `-${reply.text}\r\n`;
    case 'number':
      return `:${reply.value}\r\n`;
    case 'text':
      return reply.text === null ? '$-1\r\n' : `$${reply.text.length}\r\n${reply.text}\r\n`;
    case 'list':
      return `*${reply.items.length}\r\n${reply.items.map(encode).join('')}`;
  }
}

/** Takes one whole reply from the front of `bytes` (latin1); undefined while more has to come. */
export function takeReply(bytes: string): { reply: Reply; length: number } | undefined {
  const head = /^([-+:$*])([^\r]*)\r\n/.exec(bytes);
  if (!head) return undefined;
  const [line, mark, rest = ''] = head;
  if (mark === '+') return { reply: { kind: 'status', text: rest }, length: line.length };
  if (mark === '-') return { reply: error(rest), length: line.length };
  if (mark === ':') return { reply: number(Number(rest)), length: line.length };
  const count = Number(rest);
  if (mark === '$') {
    if (count < 0) return { reply: text(null), length: line.length };
    const end = line.length + count;
    return bytes.length < end + 2
      ? undefined
      : { reply: text(bytes.slice(line.length, end)), length: end + 2 };
  }
  const items: Reply[] = [];
  let at = line.length;
  for (let i = 0; i < count; i++) {
    const taken = takeReply(bytes.slice(at));
    if (!taken) return undefined;
    items.push(taken.reply);
    at += taken.length;
  }
  return { reply: { kind: 'list', items }, length: at };
}

/** The next whole command, in the array form of the protocol or as an inline line. */
export function takeCommand(bytes: string): { words: string[]; length: number } | undefined {
  if (!bytes.startsWith('*')) {
    const end = bytes.indexOf('\n');
    return end < 0
      ? undefined
      : { words: bytes.slice(0, end).trim().split(/\s+/).filter(Boolean), length: end + 1 };
  }
  const taken = takeReply(bytes);
  if (taken?.reply.kind !== 'list') return undefined;
  return {
    words: taken.reply.items.map(item => (item.kind === 'text' ? (item.text ?? '') : '')),
    length: taken.length,
  };
}
