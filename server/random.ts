// Randomness as an argument: one seeded source per cluster, so that names, jitter and golden files repeat.

/** A source of pseudo-random values; the same seed gives the same sequence. Not for secrets: those come from node:crypto. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform whole number in [0, limit). */
  below(limit: number): number;
  /** `length` characters drawn from `alphabet`. */
  text(length: number, alphabet: string): string;
  /** A version-4 shaped UUID. */
  uuid(): string;
}

/** Kubernetes' alphabet for generated names: no vowels, no look-alikes (apimachinery util/rand). */
export const NAME_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** A mulberry32 generator: small, fast, good enough for names and jitter. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  const text = (length: number, alphabet: string) =>
    Array.from({ length }, () => alphabet[below(alphabet.length)]).join('');
  const hex = (length: number) => text(length, '0123456789abcdef');
  const uuid = () => `${hex(8)}-${hex(4)}-4${hex(3)}-${'89ab'[below(4)]}${hex(3)}-${hex(12)}`;
  return { next, below, text, uuid };
}
