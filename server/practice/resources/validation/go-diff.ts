// The difference of two values as lines of Go-cased JSON, the way upstream explains a forbidden change. Knows no kind.

type Line = string;

/** `hostIP` is HostIP in Go: the first letter up, the rest as it is. */
const goCase = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

function lines(value: unknown, indent: string, name: string): Line[] {
  const head = name ? `${indent}"${name}": ` : indent;
  if (Array.isArray(value)) {
    if (value.length === 0) return [`${head}[],`];
    return [`${head}[`, ...value.flatMap(element => lines(element, `${indent} `, '')), `${indent}],`];
  }
  if (typeof value === 'object' && value !== null) {
    const keys = Object.keys(value).sort();
    if (keys.length === 0) return [`${head}{},`];
    return [
      `${head}{`,
      ...keys.flatMap(key => lines((value as Record<string, unknown>)[key], `${indent} `, goCase(key))),
      `${indent}},`,
    ];
  }
  return [`${head}${JSON.stringify(value)},`];
}

/** Lines of context around a change. */
const CONTEXT = 3;
/** Beyond this many lines the table of the comparison grows too large: the end is left out. */
const MAX_LINES = 1500;

/** A unified-style diff: `-` what is in `a`, `+` what is in `b`. */
export function goDiff(a: unknown, b: unknown): string {
  const left = lines(a, '', '').slice(0, MAX_LINES);
  const right = lines(b, '', '').slice(0, MAX_LINES);
  const table = Array.from({ length: left.length + 1 }, () => new Uint16Array(right.length + 1));
  for (let i = left.length - 1; i >= 0; i--)
    for (let j = right.length - 1; j >= 0; j--)
      (table[i] as Uint16Array)[j] =
        left[i] === right[j]
          ? (table[i + 1]?.[j + 1] ?? 0) + 1
          : Math.max(table[i + 1]?.[j] ?? 0, table[i]?.[j + 1] ?? 0);
  const merged: { mark: ' ' | '-' | '+'; text: string }[] = [];
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && left[i] === right[j]) {
      merged.push({ mark: ' ', text: left[i] as string });
      i++;
      j++;
    } else if (i < left.length && (j >= right.length || (table[i + 1]?.[j] ?? 0) >= (table[i]?.[j + 1] ?? 0)))
      merged.push({ mark: '-', text: left[i++] as string });
    else merged.push({ mark: '+', text: right[j++] as string });
  }
  const near = (at: number) =>
    merged.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(line => line.mark !== ' ');
  const shown: string[] = [];
  let skipped = false;
  for (const [at, line] of merged.entries()) {
    if (near(at)) {
      shown.push(`${line.mark} ${line.text}`);
      skipped = false;
    } else if (!skipped) {
      shown.push('  ...');
      skipped = true;
    }
  }
  return `${shown.join('\n')}\n`;
}
