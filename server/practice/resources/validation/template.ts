// Rules that all workloads share: a selector that matches its template, and the template itself.

import { isDeepStrictEqual } from 'node:util';
import { type FieldError, invalidValue, notSupported, required } from '../../../kube/index.ts';
import { type LabelSelectorObject, labelSelectorFrom } from '../../../kube/selectors/index.ts';
import { labelMap, labelSelector } from './common.ts';
import { podSpec } from './pod-spec.ts';

export interface Template {
  metadata?: { labels?: Record<string, string> };
  spec?: { restartPolicy?: string; activeDeadlineSeconds?: number };
}

type Selector = LabelSelectorObject | null | undefined;

const isEmpty = (selector: LabelSelectorObject) =>
  Object.keys(selector.matchLabels ?? {}).length === 0 && !selector.matchExpressions?.length;

/** `spec.selector` of a workload that must have one. */
export function workloadSelector(selector: Selector, kind: string, field = 'spec.selector'): FieldError[] {
  if (!selector) return [required(field)];
  const findings = labelSelector(selector, field);
  if (isEmpty(selector))
    findings.push(invalidValue(field, selector, `empty selector is invalid for ${kind}`));
  return findings;
}

/** The template of a workload that keeps its pods running. */
export function workloadTemplate(
  template: Template | undefined,
  selector: Selector,
  field = 'spec.template',
): FieldError[] {
  const findings: FieldError[] = [];
  const labels = template?.metadata?.labels ?? {};
  let matches = false;
  try {
    matches = Boolean(selector) && !isEmpty(selector ?? {}) && labelSelectorFrom(selector).matches(labels);
  } catch {
    matches = false;
  }
  const empty = selector ? isEmpty(selector) : false;
  if (!matches && !empty)
    findings.push(
      invalidValue(`${field}.metadata.labels`, labels, '`selector` does not match template `labels`'),
    );
  findings.push(...podTemplate(template, field));
  const policy = template?.spec?.restartPolicy;
  if (policy !== undefined && policy !== 'Always' && ['OnFailure', 'Never'].includes(policy))
    findings.push(notSupported(`${field}.spec.restartPolicy`, policy, ['Always']));
  if (template?.spec?.activeDeadlineSeconds !== undefined)
    findings.push({
      field: `${field}.spec.activeDeadlineSeconds`,
      type: 'Forbidden',
      message: 'Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported',
    });
  return findings;
}

export function podTemplate(template: Template | undefined, field: string): FieldError[] {
  return [
    ...labelMap(template?.metadata?.labels, `${field}.metadata.labels`),
    ...podSpec(template?.spec, `${field}.spec`),
  ];
}

export function immutableSelector(next: unknown, old: unknown, field = 'spec.selector'): FieldError[] {
  return isDeepStrictEqual(next, old) ? [] : [invalidValue(field, next, 'field is immutable')];
}
