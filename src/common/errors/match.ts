// Finds which known error message a pasted text is, or is a part of. Compares words and pairs of neighbouring words, weighed by
// how few messages have them. Pure; knows no lesson.

export interface KnownError {
  id: string;
  says: readonly string[];
}

export interface Match<T> {
  error: T;
  /** Share of the pasted text that the message explains, by weight; 1 for a true part of it. */
  covered: number;
  score: number;
}

/** Less than this in common is chance: about one word that only one message has. */
const LEAST_SCORE = 1.5;
/** A text of which less than this is explained is another message, unless very much is in common. */
const LEAST_COVERED = 0.4;
const MUCH = 12;
/** A pair of neighbours says more than its two words. */
const PAIR = 1.5;
/** Others are shown when they come this near to the best. */
const NEAR = 0.6;
/** Words of any sentence: alone, or two of them together, they mean nothing. */
const EVERYDAY = new Set(
  'a an and are as at be but by for from has have if in is it its may more no not of on only or over than that the this to was will with you your'.split(
    ' ',
  ),
);
/** Longest text looked at, in characters: a log of some hundred lines. */
const LONGEST = 40_000;

/** Best first; empty when nothing known is like it. */
export function matchErrors<T extends KnownError>(text: string, known: readonly T[]): Match<T>[] {
  const asked = features(text.slice(0, LONGEST));
  const having = known.map(error => features(error.says.join('\n')));
  const weight = (feature: string): number => {
    const holders = having.filter(one => one.has(feature)).length;
    const rare = Math.log(1 + known.length / Math.max(1, holders)) - Math.log(2) + 0.15;
    return feature.includes(' ') ? PAIR * rare : rare;
  };
  let all = 0;
  const scores = known.map(() => 0);
  for (const feature of asked) {
    const value = weight(feature);
    // What no message has says little about which one is meant: names, times and the rest of a log.
    all += having.some(one => one.has(feature)) ? value : value / 4;
    having.forEach((one, index) => {
      if (one.has(feature)) scores[index]! += value;
    });
  }
  const matches = known
    .map((error, index) => ({ error, score: scores[index]!, covered: all > 0 ? scores[index]! / all : 0 }))
    .filter(({ score, covered }) => score >= LEAST_SCORE && (covered >= LEAST_COVERED || score >= MUCH))
    // Several messages may hold the whole of what was asked: then the one that says least besides is meant.
    .toSorted((a, b) => b.score - a.score || told(asked, b.error) - told(asked, a.error));
  const best = matches[0]?.score ?? 0;
  return matches.filter(match => match.score >= NEAR * best);
}

/** How much of one of its messages was asked for: 1 when all of it was. */
function told(asked: Set<string>, error: KnownError): number {
  return Math.max(
    ...error.says.map(text => {
      const own = features(text);
      return [...own].filter(feature => asked.has(feature)).length / own.size;
    }),
  );
}

/** Words and pairs, without what differs from one occurrence to the next: times, addresses, hashes of pod names. */
function features(text: string): Set<string> {
  const words =
    text
      .normalize('NFKC')
      .replace(/\x1b\[[0-9;]*[A-Za-z]/g, '')
      .replace(/\\+[nt"]/g, ' ')
      .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
      .toLowerCase()
      .replace(/\d{4}-\d\d-\d\dt[\d:.]+z?/g, ' ')
      .replace(/\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b/g, ' ')
      .replace(/-[0-9a-f]{8,10}-[a-z0-9]{5}\b/g, ' ')
      .match(/[a-z]+\d*|\d{3,}/g) ?? [];
  const found = new Set<string>();
  words.forEach((word, index) => {
    const everyday = EVERYDAY.has(word);
    if (word.length > 1 && !everyday) found.add(word);
    const next = words[index + 1];
    if (next && !(everyday && EVERYDAY.has(next))) found.add(`${word} ${next}`);
  });
  return found;
}
