// Asks before a line of a solution is typed that would take away what the learner made. Knows no session.

import type { SessionMessage } from '#common/protocol/session.ts';
import { type ClientStrings, fill, language } from '../words.ts';
import { ask } from './ask.ts';

export type Compared = Extract<SessionMessage, { type: 'compared' }>;

/** More lines are not read. */
const MOST_LINES = 8;

/** True when the line may be typed: nothing is lost, or the learner said yes. */
export async function mayPerform(
  { loss, undo, files, problem }: Compared,
  words: ClientStrings,
): Promise<boolean> {
  const lines = [
    ...loss.objects.flatMap(({ name, deleted, fields }) =>
      deleted
        ? [fill(words.lossDeleted, { name })]
        : fields.map(({ path, yours, becomes }) =>
            fill(becomes === undefined ? words.lossGone : words.lossField, {
              name,
              path,
              yours,
              becomes: becomes ?? '',
            }),
          ),
    ),
    ...loss.files.map(file => fill(words.lossFile, { file })),
  ];
  if (lines.length === 0 && problem === undefined) return true;
  const more = lines.length - MOST_LINES;
  return ask({
    title: problem === undefined ? words.lossTitle : words.lossUnknown,
    body: [
      ...(problem === undefined ? [] : [problem[language]]),
      ...lines.slice(0, MOST_LINES),
      ...(more > 0 ? [fill(words.lossMore, { n: more })] : []),
      undo ? (files ? words.lossUndoCluster : words.lossUndo) : words.lossNoUndo,
      ...(undo && files ? [files[language]] : []),
    ],
    yes: words.lossYes,
    no: words.cancel,
  });
}
