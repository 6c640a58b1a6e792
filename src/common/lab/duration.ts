// Durations as authors write them (500ms, 2s, 1m) in milliseconds.

const FACTOR: Record<string, number> = { ms: 1, s: 1000, m: 60_000 };

/** Milliseconds; undefined stays undefined so that a default can follow. */
export function milliseconds(text: string | undefined): number | undefined {
  const parts = text === undefined ? null : /^(\d+)(ms|s|m)$/.exec(text);
  return parts ? Number(parts[1]) * (FACTOR[parts[2] as string] as number) : undefined;
}
