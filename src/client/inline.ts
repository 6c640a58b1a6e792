// Reads the inline Markdown that labs may use (`code` and **bold**) into parts. Knows no DOM, so pages use it at build time too.

export interface InlinePart {
  kind: 'text' | 'code' | 'strong';
  text: string;
}

export function inlineParts(text: string): InlinePart[] {
  const parts: InlinePart[] = [];
  for (const piece of text.split(/(`[^`]+`|\*\*[^*]+\*\*)/)) {
    if (!piece) continue;
    if (piece.length > 2 && piece.startsWith('`') && piece.endsWith('`'))
      parts.push({ kind: 'code', text: piece.slice(1, -1) });
    else if (piece.length > 4 && piece.startsWith('**') && piece.endsWith('**'))
      parts.push({ kind: 'strong', text: piece.slice(2, -2) });
    else parts.push({ kind: 'text', text: piece });
  }
  return parts;
}
