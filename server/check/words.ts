// Sentences about what a check saw, in both languages. Knows no cluster.

import type { Ref } from '#common/lab/index.ts';
import { show } from '#common/match/index.ts';
import type { Finding, Text } from '#common/protocol/index.ts';
import type { KubeObject } from '../kube/index.ts';

/** Chinese first, English second, as everywhere in this project. */
export const say = (zh: string, en: string): Text => ({ 'zh-TW': zh, en });

/** Two sentences after each other. */
export function both(first: Text | undefined, second: Text | undefined): Text | undefined {
  if (!first || !second) return first ?? second;
  return say(`${first['zh-TW']}${second['zh-TW']}`, `${first.en} ${second.en}`);
}

/** `Pod istio-system/istio-ingressgateway-57c8b6474d-8cqfx`. */
export function nameObject(object: KubeObject): string {
  const { namespace, name } = object.metadata;
  return `${object.kind ?? ''} ${namespace ? `${namespace}/` : ''}${name}`.trim();
}

/** What a reference means, as words: `Pod with app=web in istio-system`. */
export function nameRef(ref: Ref): Text {
  const labels = Object.entries(ref.selector ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const zh = [
    ref.namespace && `命名空間 ${ref.namespace} 裡${labels ? '' : '的'}`,
    labels && `標籤為 ${labels} 的`,
    ` ${ref.kind}${ref.name ? ` ${ref.name}` : ''}`,
  ];
  const en = [
    `${ref.kind}${ref.name ? ` ${ref.name}` : ''}`,
    labels && `with ${labels}`,
    ref.namespace && `in namespace ${ref.namespace}`,
  ];
  return say(zh.filter(Boolean).join(''), en.filter(Boolean).join(' '));
}

/** `status.phase is Pending, expected Running`; the first few findings, joined. */
export function nameFindings(findings: readonly Finding[]): Text {
  const shown = findings.slice(0, 3);
  const more = findings.length - shown.length;
  const zh = shown
    .map(({ path, expected, actual }) => `${path || '內容'} 是 ${actual}，應為 ${expected}`)
    .join('；');
  const en = shown
    .map(({ path, expected, actual }) => `${path || 'it'} is ${actual}, expected ${expected}`)
    .join('; ');
  return say(zh + (more > 0 ? `；另有 ${more} 處不同` : ''), en + (more > 0 ? `; and ${more} more` : ''));
}

export { show };
