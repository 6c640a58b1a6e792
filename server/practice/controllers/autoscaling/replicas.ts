// How many replicas a horizontal autoscaler wants, from measurements, limits and what it wanted lately. Pure.

/** A deviation from the target below this share changes nothing; upstream's horizontal-pod-autoscaler-tolerance. */
const TOLERANCE = 0.1;

export interface PodUse {
  name: string;
  ready: boolean;
  /** Undefined when there is no measurement. */
  use: number | undefined;
  request: number;
}

export interface Measured {
  replicas: number;
  /** Average use, in the unit of the measurement. */
  average: number;
  /** Use in percent of requests; undefined when the target is an amount. */
  utilization?: number;
}

/**
 * The number that brings the average to the target. Pods without a measurement count as idle when growing and as at the
 * target when shrinking; pods that are not ready count as idle.
 */
export function desiredReplicas(
  pods: readonly PodUse[],
  current: number,
  target: { utilization?: number; average?: number },
): Measured | undefined {
  const measured = pods.filter(p => p.ready && p.use !== undefined);
  if (measured.length === 0) return undefined;
  const ratioOf = (list: readonly PodUse[]) => {
    const use = list.reduce((sum, p) => sum + (p.use ?? 0), 0);
    if (target.utilization !== undefined) {
      const requests = list.reduce((sum, p) => sum + p.request, 0);
      return { ratio: Math.trunc((use * 100) / requests) / target.utilization, use, requests };
    }
    return { ratio: use / list.length / (target.average ?? 1), use, requests: 0 };
  };
  const { ratio, use, requests } = ratioOf(measured);
  const result: Measured = {
    replicas: current,
    average: Math.trunc(use / measured.length),
    ...(target.utilization !== undefined ? { utilization: Math.trunc((use * 100) / requests) } : {}),
  };
  const missing = pods.filter(p => p.ready && p.use === undefined);
  const unready = pods.filter(p => !p.ready);
  const level = (p: PodUse) =>
    target.utilization !== undefined ? (p.request * target.utilization) / 100 : (target.average ?? 0);
  const adjusted = [
    ...measured,
    ...missing.map(p => ({ ...p, use: ratio < 1 ? level(p) : 0 })),
    ...(ratio > 1 ? unready.map(p => ({ ...p, use: 0 })) : []),
  ];
  const next = ratioOf(adjusted).ratio;
  const within = next >= 1 - TOLERANCE && next <= 1 + TOLERANCE;
  if (within || (ratio < 1 && next > 1) || (ratio > 1 && next < 1)) return result;
  const wanted = Math.ceil(next * adjusted.length);
  if ((next < 1 && wanted > current) || (next > 1 && wanted < current)) return result;
  return { ...result, replicas: wanted };
}

export interface ScalingRules {
  stabilizationWindowSeconds?: number;
  selectPolicy?: string;
  policies?: { type: string; value: number; periodSeconds: number }[];
}

/** The most replicas that the rules for growing allow, given how many were added in a policy's period. */
export function growthLimit(
  current: number,
  rules: ScalingRules | undefined,
  added: (seconds: number) => number,
): number {
  if (rules?.selectPolicy === 'Disabled') return current;
  const policies = rules?.policies ?? [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ];
  const limits = policies.map(p => {
    const start = current - added(p.periodSeconds);
    return p.type === 'Pods' ? start + p.value : Math.ceil(start * (1 + p.value / 100));
  });
  return rules?.selectPolicy === 'Min' ? Math.min(...limits) : Math.max(...limits);
}

/** The fewest replicas that the rules for shrinking allow. */
export function shrinkLimit(
  current: number,
  rules: ScalingRules | undefined,
  removed: (seconds: number) => number,
): number {
  if (rules?.selectPolicy === 'Disabled') return current;
  const policies = rules?.policies ?? [{ type: 'Percent', value: 100, periodSeconds: 15 }];
  const limits = policies.map(p => {
    const start = current + removed(p.periodSeconds);
    return p.type === 'Pods' ? start - p.value : Math.trunc(start * (1 - p.value / 100));
  });
  return Math.max(0, rules?.selectPolicy === 'Min' ? Math.max(...limits) : Math.min(...limits));
}
