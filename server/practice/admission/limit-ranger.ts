// LimitRange: fills in what containers left open, then refuses what lies outside the range.

import {
  addQuantity,
  compareQuantity,
  formatQuantity,
  parseQuantity,
  type Quantity,
  ZERO,
} from '#common/quantity/index.ts';
import type { KubeObject } from '../../kube/index.ts';
import { CLAIMS, type ContainerSpec, concerns, PODS, refuse } from './requests.ts';
import type { AdmissionPlugin } from './types.ts';

const RANGES = { group: '', resource: 'limitranges' };
const ANNOTATION = 'kubernetes.io/limit-ranger';

type Amounts = Record<string, string>;

interface LimitItem {
  type: string;
  min?: Amounts;
  max?: Amounts;
  default?: Amounts;
  defaultRequest?: Amounts;
  maxLimitRequestRatio?: Amounts;
}

const itemsOf = (range: KubeObject): LimitItem[] => range.spec?.limits ?? [];

/** Adds what `defaults` has and `target` lacks; gives the names added, sorted. */
function fill(target: Amounts, defaults: Amounts | undefined): string[] {
  const added: string[] = [];
  for (const [resource, amount] of Object.entries(defaults ?? {})) {
    if (target[resource] !== undefined) continue;
    target[resource] = amount;
    added.push(resource);
  }
  return added.sort();
}

function fillPod(pod: KubeObject, ranges: KubeObject[]): void {
  const notes: string[] = [];
  const items = ranges.flatMap(itemsOf).filter(item => item.type === 'Container');
  const visit = (container: ContainerSpec, what: string) => {
    container.resources ??= {};
    for (const part of ['requests', 'limits'] as const) {
      const amounts = { ...container.resources[part] };
      const added = items.flatMap(item =>
        fill(amounts, part === 'requests' ? item.defaultRequest : item.default),
      );
      if (added.length === 0) continue;
      container.resources[part] = amounts;
      notes.push(`${added.join(', ')} ${part.slice(0, -1)} for ${what} ${container.name}`);
    }
  };
  for (const container of pod.spec?.containers ?? []) visit(container, 'container');
  for (const container of pod.spec?.initContainers ?? []) visit(container, 'init container');
  if (notes.length === 0) return;
  pod.metadata.annotations = {
    ...pod.metadata.annotations,
    [ANNOTATION]: `LimitRanger plugin set: ${notes.join('; ')}`,
  };
}

interface Usage {
  requests: Amounts;
  limits: Amounts;
}

const over = (a: string, b: string) =>
  compareQuantity(parseQuantity(a) as Quantity, parseQuantity(b) as Quantity) > 0;

function checkItem(item: LimitItem, { requests, limits }: Usage): string[] {
  const findings: string[] = [];
  const { type } = item;
  for (const [resource, bound] of sorted(item.min)) {
    const says = `minimum ${resource} usage per ${type} is ${bound}`;
    const request = requests[resource];
    const limit = limits[resource];
    if (request === undefined) findings.push(`${says}.  No request is specified`);
    else if (over(bound, request)) findings.push(`${says}, but request is ${request}`);
    else if (limit !== undefined && over(bound, limit)) findings.push(`${says}, but limit is ${limit}`);
  }
  for (const [resource, bound] of sorted(item.max)) {
    const says = `maximum ${resource} usage per ${type} is ${bound}`;
    const request = requests[resource];
    const limit = limits[resource];
    if (type === 'PersistentVolumeClaim') {
      if (request !== undefined && over(request, bound)) findings.push(`${says}, but request is ${request}`);
      continue;
    }
    if (limit === undefined) findings.push(`${says}.  No limit is specified`);
    else if (over(limit, bound)) findings.push(`${says}, but limit is ${limit}`);
    else if (request !== undefined && over(request, bound))
      findings.push(`${says}, but request is ${request}`);
  }
  for (const [resource, bound] of sorted(item.maxLimitRequestRatio)) {
    const says = `${resource} max limit to request ratio per ${type} is ${bound}, but`;
    const request = parseQuantity(requests[resource])?.nano ?? 0n;
    const limit = parseQuantity(limits[resource])?.nano ?? 0n;
    if (request === 0n) findings.push(`${says} no request is specified or request is 0`);
    else if (limit === 0n) findings.push(`${says} no limit is specified or limit is 0`);
    else {
      const ratio = Number(limit) / Number(request);
      const allowed = Number(parseQuantity(bound)?.nano ?? 0n) / 1e9;
      if (ratio > allowed) findings.push(`${says} provided ratio is ${ratio.toFixed(6)}`);
    }
  }
  return findings;
}

const sorted = (amounts: Amounts | undefined) =>
  Object.entries(amounts ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));

function podUsage(pod: KubeObject, part: 'requests' | 'limits'): Amounts {
  const sum: Record<string, Quantity> = {};
  const add = (amounts: Amounts | undefined) => {
    for (const [resource, amount] of Object.entries(amounts ?? {}))
      sum[resource] = addQuantity(sum[resource] ?? ZERO, parseQuantity(amount) ?? ZERO);
  };
  for (const container of pod.spec?.containers ?? []) add(container.resources?.[part]);
  for (const container of pod.spec?.initContainers ?? [])
    for (const [resource, amount] of Object.entries((container.resources?.[part] ?? {}) as Amounts)) {
      const quantity = parseQuantity(amount) ?? ZERO;
      const known = sum[resource];
      if (!known || compareQuantity(quantity, known) > 0) sum[resource] = quantity;
    }
  return Object.fromEntries(
    Object.entries(sum).map(([resource, quantity]) => [resource, formatQuantity(quantity)]),
  );
}

function podFindings(pod: KubeObject, items: LimitItem[]): string[] {
  const findings: string[] = [];
  const usageOf = (container: ContainerSpec): Usage => ({
    requests: container.resources?.requests ?? {},
    limits: container.resources?.limits ?? {},
  });
  for (const item of items) {
    if (item.type === 'Container') {
      for (const container of [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])])
        findings.push(...checkItem(item, usageOf(container)));
    } else if (item.type === 'Pod') {
      findings.push(
        ...checkItem(item, { requests: podUsage(pod, 'requests'), limits: podUsage(pod, 'limits') }),
      );
    }
  }
  return findings;
}

export const limitRanger: AdmissionPlugin = {
  name: 'LimitRanger',
  mutate(request, context) {
    if (!concerns(request, PODS, 'CREATE') || !request.object) return;
    const ranges = context.listAll(RANGES, request.namespace);
    if (ranges.length > 0) fillPod(request.object, ranges);
  },
  validate(request, context) {
    const { object, namespace } = request;
    if (!object) return;
    const forPod = concerns(request, PODS, 'CREATE');
    const forClaim = concerns(request, CLAIMS, 'CREATE', 'UPDATE');
    if (!forPod && !forClaim) return;
    for (const range of context.listAll(RANGES, namespace)) {
      const items = itemsOf(range);
      const findings = forPod
        ? podFindings(object, items)
        : items
            .filter(item => item.type === 'PersistentVolumeClaim')
            .flatMap(item =>
              checkItem(item, { requests: object.spec?.resources?.requests ?? {}, limits: {} }),
            );
      if (findings.length === 1) throw refuse(request, findings[0] as string);
      if (findings.length > 1) throw refuse(request, `[${findings.join(', ')}]`);
    }
  },
};
