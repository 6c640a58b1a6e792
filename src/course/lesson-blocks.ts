// Reads the code fences of a lesson: which are commands, which are their outputs, and how to write outputs back. Knows only text.

/** The info string of a fence after its language: `run`, `terminal=2`, `output`, `match="^x"` … */
export type Meta = Record<string, string | true>;

export interface Block {
  language: string;
  meta: Meta;
  code: string;
  /** Index of the first code line and of the closing fence in the body's lines. */
  start: number;
  end: number;
}

export function blocksOf(body: string): Block[] {
  const lines = body.split('\n');
  const blocks: Block[] = [];
  for (let i = 0; i < lines.length; i++) {
    const open = /^(```+)(\S*)\s*(.*)$/.exec(lines[i]!);
    if (!open) continue;
    const end = lines.findIndex((line, at) => at > i && line.startsWith(open[1]!));
    if (end < 0) throw new Error(`A code block that begins with ${lines[i]} is never closed`);
    blocks.push({
      language: open[2]!,
      meta: readMeta(open[3]!),
      code: lines.slice(i + 1, end).join('\n'),
      start: i + 1,
      end,
    });
    i = end;
  }
  return blocks;
}

function readMeta(text: string): Meta {
  const meta: Meta = {};
  for (const [, name = '', quoted, bare] of text.matchAll(/([\w-]+)(?:="([^"]*)"|=(\S+))?/g))
    meta[name] = quoted ?? bare ?? true;
  return meta;
}

/** A command of the lesson with the block that shows what it printed, when the lesson shows it. */
export interface Exchange {
  command: Block;
  output: Block | undefined;
}

/** The runnable commands in order, each with the output block that follows it before the next command. */
export function exchangesOf(body: string): Exchange[] {
  const exchanges: Exchange[] = [];
  for (const block of blocksOf(body)) {
    const last = exchanges.at(-1);
    if (block.meta.run) exchanges.push({ command: block, output: undefined });
    else if (block.meta.output && last && !last.output) last.output = block;
  }
  return exchanges;
}

/** The part of a command's output that the lesson shows: `match="…"` keeps matching lines, `lines=8` the first few. */
export function excerpt(output: string, meta: Meta): string {
  let lines = output
    .replace(/\s+$/, '')
    .split('\n')
    .map(line => line.trimEnd());
  if (typeof meta.from === 'string') {
    const at = lines.findIndex(line => new RegExp(meta.from as string).test(line));
    lines = at < 0 ? [] : lines.slice(at);
  }
  if (typeof meta.match === 'string')
    lines = lines.filter(line => new RegExp(meta.match as string).test(line));
  const count = typeof meta.lines === 'string' ? Number(meta.lines) : lines.length;
  return lines.length > count ? [...lines.slice(0, count), '…'].join('\n') : lines.join('\n');
}

/** The body with the code of one block replaced. Later blocks' positions shift: replace from the end to the start. */
export function replaceBlock(body: string, block: Block, code: string): string {
  const lines = body.split('\n');
  lines.splice(block.start, block.end - block.start, ...code.split('\n'));
  return lines.join('\n');
}
