// How Go's common loggers write a line. Knows what a line looks like, not what it says.

import type { Container } from '../types.ts';

export type Values = Record<string, unknown>;

/** zap as controller-runtime configures it: `json` in production, `console` (tabs between) in development. */
export interface ZapLog {
  info(logger: string, message: string, values?: Values): void;
  /** `error` is what happened, as Go words it. */
  error(logger: string, message: string, error: string, values?: Values): void;
}

export function zapJson(container: Container): ZapLog {
  const line = (level: string, logger: string, msg: string, values: Values) =>
    container.logError(
      JSON.stringify({ level, ts: seconds(container), ...(logger && { logger }), msg, ...values }),
    );
  return {
    info: (logger, message, values = {}) => line('info', logger, message, values),
    // zap writes the stack after all fields, the error among them.
    error: (logger, message, error, { stacktrace, ...values } = {}) =>
      line('error', logger, message, { ...values, error, ...(stacktrace !== undefined && { stacktrace }) }),
  };
}

/** `epoch` is how controller-runtime wrote the time before 0.13: `1.7400882340742986e+09`. */
export function zapConsole(container: Container, time: 'rfc3339' | 'epoch' = 'rfc3339'): ZapLog {
  const line = (level: string, logger: string, message: string, values: Values) => {
    const at = time === 'epoch' ? epoch(container) : seconds(container);
    const parts = [at, level, ...(logger ? [logger] : []), message];
    // Go's encoder puts a space after colons and commas.
    if (Object.keys(values).length > 0) parts.push(spaced(values));
    container.logError(parts.join('\t'));
  };
  return {
    info: (logger, message, values = {}) => line('INFO', logger, message, values),
    error: (logger, message, error, values = {}) => line('ERROR', logger, message, { ...values, error }),
  };
}

function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}: ${spaced(field)}`).join(', ')}}`;
}

/** `2026-11-24T06:00:00Z` */
export const seconds = ({ clock }: Container) => `${new Date(clock.now()).toISOString().slice(0, 19)}Z`;

const epoch = ({ clock }: Container) => (clock.now() / 1000).toExponential().replace('e+9', 'e+09');

/** klog and glog: `I1124 07:00:00.000000       1 main.go:10] `; `pid` is 1 unless an init stands above the process. */
export function klog(container: Container, level: string, place: string, text: string, pid = 1): string {
  const at = new Date(container.clock.now()).toISOString();
  return `${level}${at.slice(5, 7)}${at.slice(8, 10)} ${at.slice(11, 23)}000 ${String(pid).padStart(7)} ${place}] ${text}`;
}

/** logrus' text form, which Argo and the training operator use. */
export const logrus = (container: Container, level: string, message: string) =>
  `time="${seconds(container)}" level=${level} msg=${JSON.stringify(message)}`;
