// Cuts an excerpt into plain and marked parts. The index marks Chinese letter by letter; people look for words. Pure.

export interface Part {
  text: string;
  marked: boolean;
}

/** `marked` is the excerpt as the index gives it, already split; words of the query win over its marks where they occur. */
export function markQuery(parts: readonly Part[], query: string): Part[] {
  const text = parts.map(part => part.text).join('');
  const words = query
    .split(/\s+/)
    .filter(word => word.length > 0)
    .toSorted((a, b) => b.length - a.length)
    .map(word => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const pattern = words.length > 0 ? new RegExp(`(${words.join('|')})`, 'gi') : undefined;
  if (!pattern || text.search(pattern) < 0) return join(parts);
  return text
    .split(pattern)
    .map((piece, index) => ({ text: piece, marked: index % 2 === 1 }))
    .filter(part => part.text);
}

function join(parts: readonly Part[]): Part[] {
  const joined: Part[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (last && last.marked === part.marked) last.text += part.text;
    else if (part.text) joined.push({ ...part });
  }
  return joined;
}
