// Reads what a learner typed as a number or a quantity. People write separators, units and full-width digits; none of these makes a
// right answer wrong. Knows no cluster.

import { parseQuantity, type Quantity } from '#common/quantity/index.ts';

/** Digits in groups of three: 262,144 or 262 144 or 262_144. */
const GROUPED = /^([+-]?\d{1,3}(?:([,_'’ ])\d{3})(?:\2\d{3})*)(?![\d,_'’])/;
const NUMBER = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*(.*)$/s;
/** Words that say how many times the number is meant; what is left of `256 KiB` is not 256. */
const MULTIPLIES = /^(?:%|[ac-z]$|[kmgtpe]i?b?(?![a-z])|(?:kilo|mega|giga|kibi|mebi|gibi)|[十百千萬億])/i;

/** Full-width digits and the like as plain ones, without the quotes and the full stop that sentences bring. */
export const plain = (text: string): string =>
  text
    .normalize('NFKC')
    .trim()
    .replace(/^["'`「]+|["'`」。.]+$/g, '')
    .trim();

/** 三 as in 三個: what one writes for a small count. */
const IN_WORDS = /^([零〇一二兩三四五六七八九十])(?=個|$)/;
const WORTH: Record<string, number> = {
  零: 0,
  〇: 0,
  一: 1,
  二: 2,
  兩: 2,
  三: 3,
  四: 4,
  五: 5,
  六: 6,
  七: 7,
  八: 8,
  九: 9,
  十: 10,
};

/** `262,144`, `262144 bytes`, `３ 個`, 三個: the number; undefined when it is none, or a multiple of one. */
export function typedNumber(text: string): number | undefined {
  const inWords = IN_WORDS.exec(plain(text))?.[1];
  if (inWords) return WORTH[inWords];
  const [, number = '', unit = ''] = NUMBER.exec(withoutGroups(plain(text))) ?? [];
  // More digits behind it are another answer, not a unit.
  if (number === '' || MULTIPLIES.test(unit) || /\d/.test(unit) || /^[-/:.,]/.test(unit)) return undefined;
  return Number(number);
}

/** `4 GiB`, `4gi`, `4,194,304Ki`; undefined when it is no quantity. */
export function typedQuantity(text: string): Quantity | undefined {
  const spelled = withoutGroups(plain(text))
    .replace(/^([\d.+-]+)\s+(?=[a-z]+$)/i, '$1')
    .replace(/(?<=\d)([kmgtpe])i(?:b|bytes?)?$/i, (_, letter: string) => `${letter.toUpperCase()}i`)
    .replace(/(?<=\d)([kMGTPE])B$/, '$1')
    .replace(/(?<=\d)KB$/, 'k');
  return parseQuantity(spelled) ?? parseQuantity(typedNumber(text));
}

const withoutGroups = (text: string): string =>
  text.replace(GROUPED, grouped => grouped.replace(/[,_'’ ]/g, ''));
