// What Spark's driver and executors share here: how they log, what they say to each other, and the sums they do.

import type { Random } from '../../../random.ts';
import type { ByteStream } from '../../network/index.ts';
import type { Container } from '../types.ts';

export const RPC_PORT = 7078;
export const BLOCK_PORT = 7079;
export const UI_PORT = 4040;

/** log4j as Spark sets it up: `26/11/24 06:00:00 INFO SparkContext: text`, on stderr. */
export function sparkLog(container: Container) {
  const line = (level: string) => (logger: string, text: string) => {
    const at = new Date(container.clock.now()).toISOString();
    container.logError(
      `${at.slice(2, 10).replaceAll('-', '/')} ${at.slice(11, 19)} ${level} ${logger}: ${text}`,
    );
  };
  return { info: line('INFO'), warn: line('WARN'), error: line('ERROR') };
}
export type SparkLog = ReturnType<typeof sparkLog>;

/** What the image's entrypoint shows of itself before Spark starts. */
export function entrypointTrace(container: Container, command: string): void {
  for (const line of ['++ id -u', '+ myuid=185', '++ id -g', '+ mygid=0', '+ set -e', `+ exec ${command}`])
    container.logError(line);
}

export type Message =
  | { type: 'register'; executor: string; cores: number; host: string }
  | { type: 'registered' }
  | { type: 'task'; id: number; points: number }
  | { type: 'result'; id: number; inside: number }
  | { type: 'stop' };

/** Messages of one connection, one a line. */
export function messages(stream: ByteStream, take: (message: Message) => void): (message: Message) => void {
  let waiting = '';
  stream.onData(chunk => {
    const lines = (waiting + Buffer.from(chunk).toString('utf8')).split('\n');
    waiting = lines.pop() ?? '';
    for (const line of lines) take(JSON.parse(line));
  });
  return message => stream.write(Buffer.from(`${JSON.stringify(message)}\n`));
}

/** How many of so many points, drawn from a square, lie in the circle within it. */
export function pointsInside(points: number, random: Random): number {
  let inside = 0;
  for (let index = 0; index < points; index++) {
    const x = random.next() * 2 - 1;
    const y = random.next() * 2 - 1;
    if (x * x + y * y <= 1) inside++;
  }
  return inside;
}

/** `512m`, `1g` as Spark writes memory, in MiB. */
function mebibytes(text: string): number {
  const [, number = '0', unit = 'm'] = /^(\d+)\s*([kmgt]?)i?b?$/i.exec(text) ?? [];
  return Number(number) * ({ k: 1 / 1024, m: 1, g: 1024, t: 1024 * 1024 }[unit.toLowerCase() || 'm'] ?? 1);
}

const LEAST_OVERHEAD = 384;

/** What the pod asks for: the heap and what the JVM and Python need beside it. */
export const podMemory = (memory: string, factor: number): string => {
  const heap = mebibytes(memory);
  return `${Math.ceil(heap + Math.max(heap * factor, LEAST_OVERHEAD))}Mi`;
};

export const hex = (random: Random, length: number) => random.text(length, '0123456789abcdef');
