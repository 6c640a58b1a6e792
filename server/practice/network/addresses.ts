// Pod addresses as the host-local IPAM of a node hands them out. Knows no pods.

/** Hands out addresses of one /24 in turn, so that a freed address is not reused at once. */
export interface AddressPool {
  take(): string | undefined;
  /** Marks an address as taken (a pod that was already running); false when another pod holds it. */
  claim(address: string): boolean;
  release(address: string): void;
}

/** `prefix` is `10.244.0`; .0 is the network, .1 the bridge, .255 broadcast. */
export function addressPool(prefix: string): AddressPool {
  const taken = new Set<number>();
  let last = 1;
  const numberOf = (address: string) =>
    address.startsWith(`${prefix}.`) ? Number(address.slice(prefix.length + 1)) : Number.NaN;
  return {
    take() {
      for (let step = 1; step <= 253; step++) {
        const candidate = 2 + ((last - 2 + step + 253) % 253);
        if (taken.has(candidate)) continue;
        taken.add(candidate);
        last = candidate;
        return `${prefix}.${candidate}`;
      }
      return undefined;
    },
    claim(address) {
      const number = numberOf(address);
      if (!(number >= 2 && number <= 254) || taken.has(number)) return false;
      taken.add(number);
      last = Math.max(last, number);
      return true;
    },
    release(address) {
      taken.delete(numberOf(address));
    },
  };
}

export const isAddress = (host: string) => /^\d{1,3}(\.\d{1,3}){3}$/.test(host);
