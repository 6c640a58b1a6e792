// A pod's requests or limits as exact quantities that keep the way they were written, for quotas. Pure.

import { addQuantity, compareQuantity, parseQuantity, type Quantity } from '#common/quantity/index.ts';
import type { KubeObject } from '../../../kube/index.ts';

type Totals = Map<string, Quantity>;

interface Container {
  restartPolicy?: string;
  resources?: Record<'requests' | 'limits', Record<string, string> | undefined>;
}

function addInto(totals: Totals, list: Record<string, string> | undefined): void {
  for (const [resource, text] of Object.entries(list ?? {})) {
    const amount = parseQuantity(text);
    const known = totals.get(resource);
    if (amount) totals.set(resource, known ? addQuantity(known, amount) : amount);
  }
}

function raiseInto(totals: Totals, other: Totals): void {
  for (const [resource, amount] of other) {
    const known = totals.get(resource);
    if (!known || compareQuantity(known, amount) < 0) totals.set(resource, amount);
  }
}

/** The sum over containers and sidecars, or what the greediest init container needs, whichever is more; plus overhead. */
export function podTotals(pod: KubeObject, field: 'requests' | 'limits'): Totals {
  const { containers = [], initContainers = [], overhead } = pod['spec'];
  const totals: Totals = new Map();
  for (const c of containers as Container[]) addInto(totals, c.resources?.[field]);
  const sidecars: Totals = new Map();
  const init: Totals = new Map();
  for (const c of initContainers as Container[]) {
    if (c.restartPolicy === 'Always') {
      addInto(totals, c.resources?.[field]);
      addInto(sidecars, c.resources?.[field]);
      raiseInto(init, sidecars);
    } else {
      const own: Totals = new Map(sidecars);
      addInto(own, c.resources?.[field]);
      raiseInto(init, own);
    }
  }
  raiseInto(totals, init);
  addInto(totals, overhead);
  return totals;
}
