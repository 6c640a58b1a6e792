// Reads cron schedules as robfig/cron's standard parser does, for its errors only. When a schedule is due is not its business.

interface Bounds {
  name: string;
  min: number;
  max: number;
  names?: Record<string, number>;
}

const numbered = (names: string, first: number) =>
  Object.fromEntries(names.split(' ').map((name, i) => [name, first + i]));

const FIELDS: readonly Bounds[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'dom', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, names: numbered('jan feb mar apr may jun jul aug sep oct nov dec', 1) },
  { name: 'dow', min: 0, max: 6, names: numbered('sun mon tue wed thu fri sat', 0) },
];

const DESCRIPTORS = new Set([
  '@yearly',
  '@annually',
  '@monthly',
  '@weekly',
  '@daily',
  '@midnight',
  '@hourly',
]);

function value(text: string, bounds: Bounds): number | string {
  const named = bounds.names?.[text.toLowerCase()];
  if (named !== undefined) return named;
  if (!/^[+-]?\d+$/.test(text))
    return `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
  const number = Number(text);
  return number < 0 ? `negative number (${number}) not allowed: ${text}` : number;
}

function rangeError(expression: string, bounds: Bounds): string | undefined {
  const [span = '', step, ...more] = expression.split('/');
  const [low = '', high, ...rest] = span.split('-');
  let start = bounds.min;
  let end = bounds.max;
  if (low === '*' || low === '?') {
    if (high !== undefined || rest.length > 0) return undefined;
  } else {
    const first = value(low, bounds);
    if (typeof first === 'string') return first;
    start = first;
    if (rest.length > 0) return `too many hyphens: ${expression}`;
    if (high === undefined) end = step === undefined ? start : bounds.max;
    else {
      const last = value(high, bounds);
      if (typeof last === 'string') return last;
      end = last;
    }
  }
  if (more.length > 0) return `too many slashes: ${expression}`;
  if (step !== undefined) {
    const number = value(step, { ...bounds, names: {} });
    if (typeof number === 'string') return number;
    if (number === 0) return `step of range should be a positive number: ${expression}`;
  }
  if (start < bounds.min) return `beginning of range (${start}) below minimum (${bounds.min}): ${expression}`;
  if (end > bounds.max) return `end of range (${end}) above maximum (${bounds.max}): ${expression}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${expression}`;
  return undefined;
}

/** What is wrong with a schedule, undefined when nothing is. */
export function scheduleError(schedule: string): string | undefined {
  let text = schedule.trim();
  if (/^(?:CRON_)?TZ=/.test(text)) text = text.slice(text.indexOf(' ') + 1).trim();
  if (text.startsWith('@')) {
    if (DESCRIPTORS.has(text)) return undefined;
    if (/^@every (?:\d+(?:\.\d+)?(?:ns|us|ms|s|m|h))+$/.test(text)) return undefined;
    return text.startsWith('@every ')
      ? `failed to parse duration ${text}: time: invalid duration ${JSON.stringify(text.slice(7))}`
      : `unrecognized descriptor: ${text}`;
  }
  const fields = text.split(/\s+/).filter(Boolean);
  if (fields.length !== FIELDS.length)
    return `expected exactly ${FIELDS.length} fields, found ${fields.length}: [${fields.join(' ')}]`;
  for (const [i, bounds] of FIELDS.entries())
    for (const expression of (fields[i] as string).split(',').filter(Boolean)) {
      const error = rangeError(expression, bounds);
      if (error) return error;
    }
  return undefined;
}
