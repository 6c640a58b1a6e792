// The quality-of-service class that a pod's requests and limits give it.

import { compareQuantity, parseQuantity } from '#common/quantity/index.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

interface Resources {
  requests?: Record<string, string>;
  limits?: Record<string, string>;
}

const COUNTED = ['cpu', 'memory'];

const isZero = (text: string | undefined): boolean => {
  const quantity = text === undefined ? undefined : parseQuantity(text);
  return !quantity || quantity.nano === 0n;
};

/** BestEffort asks for nothing; Guaranteed limits cpu and memory of every container to what it requests. */
export function podQuality(
  spec:
    | {
        containers?: { resources?: Resources }[];
        initContainers?: { resources?: Resources }[];
        resources?: Resources;
      }
    | undefined,
): QosClass {
  const all: Resources[] = spec?.resources
    ? [spec.resources]
    : [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].map(c => c.resources ?? {});
  const asks = all.some(({ requests = {}, limits = {} }) =>
    COUNTED.some(name => !isZero(requests[name]) || !isZero(limits[name])),
  );
  if (!asks) return 'BestEffort';
  const exact = all.every(({ requests = {}, limits = {} }) =>
    COUNTED.every(name => {
      const limit = parseQuantity(limits[name] ?? '');
      const request = parseQuantity(requests[name] ?? limits[name] ?? '');
      return limit && request && limit.nano > 0n && compareQuantity(limit, request) === 0;
    }),
  );
  return exact ? 'Guaranteed' : 'Burstable';
}
