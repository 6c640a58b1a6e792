// Splits a solution or a mistake into what is typed at a prompt, line by line, and the answers given between. Runs nothing.

export type ScriptLine = { type: string } | { answer: { check: string; value: string } };

/** An answer that differs from cluster to cluster: read where the question reads it. */
export const AS_SEEN = '(as the cluster says)';

/** `# answer: CHECK = VALUE` gives an answer; other comments and blank lines are left out; a here-document stays in one piece. */
export function scriptLines(text: string): ScriptLine[] {
  const lines: ScriptLine[] = [];
  let pending = '';
  let until: string | undefined;
  for (const line of text.split('\n')) {
    if (until !== undefined) {
      pending += `\n${line}`;
      if (line.trim() !== until) continue;
      until = undefined;
    } else {
      const answer = /^# answer: ([a-z0-9-]+) = (.*)$/.exec(line);
      if (answer) {
        lines.push({ answer: { check: answer[1] as string, value: (answer[2] as string).trim() } });
        continue;
      }
      if (pending === '' && (line.trim() === '' || line.trimStart().startsWith('#'))) continue;
      pending = pending === '' ? line : `${pending}\n${line}`;
      until = /<<-?\s*'?"?(\w+)'?"?/.exec(line)?.[1];
      if (until !== undefined || line.endsWith('\\')) continue;
    }
    lines.push({ type: pending });
    pending = '';
  }
  if (pending !== '') lines.push({ type: pending });
  return lines;
}
