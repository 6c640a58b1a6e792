// Sets of completion indexes in the compressed text that jobs carry (`0,2-4`). Pure.

/** Reads `0,2-4`; what cannot be read is left out. */
export function parseIndexes(text: string | undefined): Set<number> {
  const indexes = new Set<number>();
  for (const part of (text ?? '').split(',')) {
    const range = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    if (!range) continue;
    const [from, to] = [Number(range[1]), Number(range[2] ?? range[1])];
    for (let i = from; i <= to; i++) indexes.add(i);
  }
  return indexes;
}

/** Two neighbours stay `2,3`; from three on they become a range. */
export function formatIndexes(indexes: Iterable<number>): string {
  const sorted = [...new Set(indexes)].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let i = 0; i < sorted.length; ) {
    let j = i;
    while (sorted[j + 1] === (sorted[j] as number) + 1) j++;
    if (j - i >= 2) parts.push(`${sorted[i]}-${sorted[j]}`);
    else parts.push(...sorted.slice(i, j + 1).map(String));
    i = j + 1;
  }
  return parts.join(',');
}
