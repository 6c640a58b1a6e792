// The commands that this Redis knows: strings, counters, lists, expiry. Others get Redis' own words. Knows no wire.

import { error, list, number, OK, type Reply, text } from './protocol.ts';

type Value = string | string[];

export class RedisData {
  readonly values = new Map<string, Value>();
  /** Milliseconds since the epoch. */
  private readonly ends = new Map<string, number>();
  readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  get(key: string): Value | undefined {
    const end = this.ends.get(key);
    if (end !== undefined && end <= this.now()) this.delete(key);
    return this.values.get(key);
  }

  set(key: string, value: Value, keepEnd = false): void {
    this.values.set(key, value);
    if (!keepEnd) this.ends.delete(key);
  }

  delete(key: string): boolean {
    this.ends.delete(key);
    return this.values.delete(key);
  }

  keys(): string[] {
    return [...this.values.keys()].filter(key => this.get(key) !== undefined);
  }

  expire(key: string, seconds: number): boolean {
    if (this.get(key) === undefined) return false;
    this.ends.set(key, this.now() + seconds * 1000);
    return true;
  }

  /** Seconds left; -1 without an end, -2 without a key. */
  left(key: string): number {
    if (this.get(key) === undefined) return -2;
    const end = this.ends.get(key);
    return end === undefined ? -1 : Math.ceil((end - this.now()) / 1000);
  }

  clear(): void {
    this.values.clear();
    this.ends.clear();
  }
}

const WRONG_KIND = error('WRONGTYPE Operation against a key holding the wrong kind of value');
const NO_INTEGER = error('ERR value is not an integer or out of range');

/** A glob as KEYS takes it. */
const glob = (pattern: string) =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );

type Run = (args: string[], data: RedisData) => Reply;

const string = (data: RedisData, key: string, use: (value: string | undefined) => Reply): Reply => {
  const value = data.get(key);
  return Array.isArray(value) ? WRONG_KIND : use(value);
};
const values = (data: RedisData, key: string, use: (value: string[]) => Reply): Reply => {
  const value = data.get(key);
  return typeof value === 'string' ? WRONG_KIND : use(value ?? []);
};
const count =
  (sign: 1 | -1): Run =>
  ([key = '', by = '1'], data) =>
    string(data, key, value => {
      if (!/^-?\d+$/.test(value ?? '0') || !/^-?\d+$/.test(by)) return NO_INTEGER;
      const next = Number(value ?? 0) + sign * Number(by);
      data.set(key, String(next), true);
      return number(next);
    });
const push =
  (place: 'front' | 'back'): Run =>
  ([key = '', ...added], data) =>
    values(data, key, before => {
      const next = place === 'front' ? [...added.reverse(), ...before] : [...before, ...added];
      data.set(key, next, true);
      return number(next.length);
    });
const pop =
  (place: 'front' | 'back'): Run =>
  ([key = ''], data) =>
    values(data, key, before => {
      const next = [...before];
      const taken = place === 'front' ? next.shift() : next.pop();
      if (next.length > 0) data.set(key, next, true);
      else data.delete(key);
      return text(taken);
    });

/** Name to the least number of arguments and what it does. */
const COMMANDS: Record<string, [least: number, most: number, run: Run]> = {
  PING: [0, 1, ([word]) => (word === undefined ? { kind: 'status', text: 'PONG' } : text(word))],
  ECHO: [1, 1, ([word]) => text(word)],
  SELECT: [1, 1, () => OK],
  QUIT: [0, 0, () => OK],
  SAVE: [0, 0, () => OK],
  SET: [
    2,
    4,
    ([key = '', value = '', option = '', seconds = ''], data) => {
      if (/^nx$/i.test(option) && data.get(key) !== undefined) return text(null);
      if (option && !/^(nx|ex)$/i.test(option)) return error('ERR syntax error');
      data.set(key, value);
      if (/^ex$/i.test(option)) {
        if (!/^\d+$/.test(seconds)) return NO_INTEGER;
        data.expire(key, Number(seconds));
      }
      return OK;
    },
  ],
  GET: [1, 1, ([key = ''], data) => string(data, key, text)],
  MGET: [
    1,
    Number.POSITIVE_INFINITY,
    (keys, data) => ({ kind: 'list', items: keys.map(key => string(data, key, text)) }),
  ],
  APPEND: [
    2,
    2,
    ([key = '', more = ''], data) =>
      string(data, key, value => {
        data.set(key, `${value ?? ''}${more}`, true);
        return number(`${value ?? ''}${more}`.length);
      }),
  ],
  STRLEN: [1, 1, ([key = ''], data) => string(data, key, value => number(value?.length ?? 0))],
  DEL: [1, Number.POSITIVE_INFINITY, (keys, data) => number(keys.filter(key => data.delete(key)).length)],
  EXISTS: [
    1,
    Number.POSITIVE_INFINITY,
    (keys, data) => number(keys.filter(key => data.get(key) !== undefined).length),
  ],
  TYPE: [
    1,
    1,
    ([key = ''], data) => {
      const value = data.get(key);
      return {
        kind: 'status',
        text: value === undefined ? 'none' : Array.isArray(value) ? 'list' : 'string',
      };
    },
  ],
  KEYS: [1, 1, ([pattern = ''], data) => list(data.keys().filter(key => glob(pattern).test(key)))],
  DBSIZE: [0, 0, (_args, data) => number(data.keys().length)],
  FLUSHALL: [
    0,
    1,
    (_args, data) => {
      data.clear();
      return OK;
    },
  ],
  EXPIRE: [
    2,
    2,
    ([key = '', seconds = ''], data) =>
      /^-?\d+$/.test(seconds) ? number(data.expire(key, Number(seconds)) ? 1 : 0) : NO_INTEGER,
  ],
  TTL: [1, 1, ([key = ''], data) => number(data.left(key))],
  INCR: [1, 1, count(1)],
  INCRBY: [2, 2, count(1)],
  DECR: [1, 1, count(-1)],
  DECRBY: [2, 2, count(-1)],
  LPUSH: [2, Number.POSITIVE_INFINITY, push('front')],
  RPUSH: [2, Number.POSITIVE_INFINITY, push('back')],
  LPOP: [1, 1, pop('front')],
  RPOP: [1, 1, pop('back')],
  LLEN: [1, 1, ([key = ''], data) => values(data, key, all => number(all.length))],
  LRANGE: [
    3,
    3,
    ([key = '', from = '', to = ''], data) =>
      values(data, key, all => {
        if (!/^-?\d+$/.test(from) || !/^-?\d+$/.test(to)) return NO_INTEGER;
        const at = (index: number) => (index < 0 ? Math.max(0, all.length + index) : index);
        return list(all.slice(at(Number(from)), at(Number(to)) + 1));
      }),
  ],
};

/** What the server answers to these words. */
export function runCommand([name = '', ...args]: string[], data: RedisData): Reply {
  const command = Object.hasOwn(COMMANDS, name.toUpperCase()) ? COMMANDS[name.toUpperCase()] : undefined;
  if (!command) {
    const shown = args.map(arg => `'${arg}' `).join('');
    return error(`ERR unknown command '${name}', with args beginning with: ${shown}`);
  }
  const [least, most, run] = command;
  if (args.length < least || args.length > most)
    return error(`ERR wrong number of arguments for '${name.toLowerCase()}' command`);
  return run(args, data);
}
