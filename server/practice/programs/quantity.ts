// Kubernetes quantities as plain numbers, for adding up and comparing. Knows no resource.

const SUFFIX: Record<string, number> = {
  '': 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
  Pi: 1024 ** 5,
  Ei: 1024 ** 6,
};

/** The kubelet adds up the same few quantities every ten seconds, in each of many clusters. */
const READ = new Map<string, number>();
const MOST_READ = 500;

/** A Kubernetes quantity as a plain number (cores, bytes); exact enough for comparing. NaN when unreadable. */
export function quantityNumber(quantity: string | number | undefined): number {
  if (quantity === undefined) return 0;
  const text = String(quantity);
  let read = READ.get(text);
  if (read === undefined) {
    read = parse(text.trim());
    if (READ.size >= MOST_READ) READ.clear();
    READ.set(text, read);
  }
  return read;
}

function parse(text: string): number {
  const match = /^([+-]?[\d.]+)(?:([eE][+-]?\d+)|([a-zA-Z]*))$/.exec(text);
  if (!match) return Number.NaN;
  const factor = match[2] ? Number(`1${match[2]}`) : SUFFIX[match[3] ?? ''];
  return factor === undefined ? Number.NaN : Number(match[1]) * factor;
}
