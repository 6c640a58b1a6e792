// Rules for a pod's spec, wherever it stands: pods and the templates of workloads. Words as in pkg/apis/core/validation.

import {
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  duplicate,
  type FieldError,
  invalidAll,
  invalidValue,
  ipErrors,
  notSupported,
  qualifiedNameErrors,
  required,
} from '../../../kube/index.ts';
import { labelMap, labelSelector, nonNegative, nonNegativeQuantity, oneOf } from './common.ts';
import { container, userId } from './container.ts';
import { volumes } from './volumes.ts';

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'];
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
const TAINT_EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];
const NODE_OPERATORS = new Set(['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']);
const MAX_INT32 = 2147483647;

function containers(spec: any, field: string, volumeNames: Set<string>): FieldError[] {
  const names = new Set<string>();
  const hostNetwork = spec.hostNetwork === true;
  const findings: FieldError[] = [];
  if (!spec.containers?.length) findings.push(required(`${field}.containers`));
  for (const [i, c] of (spec.containers ?? []).entries())
    findings.push(
      ...container(c, names, { field: `${field}.containers[${i}]`, volumes: volumeNames, hostNetwork }),
    );
  for (const [i, c] of (spec.initContainers ?? []).entries())
    findings.push(
      ...container(c, names, {
        field: `${field}.initContainers[${i}]`,
        volumes: volumeNames,
        hostNetwork,
        init: true,
      }),
    );
  return findings;
}

function tolerations(list: any[] = [], field: string): FieldError[] {
  return list.flatMap((toleration, i) => {
    const at = `${field}[${i}]`;
    const findings: FieldError[] = [];
    const operator = toleration.operator ?? 'Equal';
    if (toleration.key)
      findings.push(...invalidAll(`${at}.key`, toleration.key, qualifiedNameErrors(toleration.key)));
    else if (operator !== 'Exists')
      findings.push(
        invalidValue(
          `${at}.operator`,
          toleration.operator ?? '',
          'operator must be Exists when `key` is empty, which means "match all values and all keys"',
        ),
      );
    if (toleration.tolerationSeconds !== undefined && toleration.effect !== 'NoExecute')
      findings.push(
        invalidValue(
          `${at}.effect`,
          toleration.effect ?? '',
          "effect must be 'NoExecute' when `tolerationSeconds` is set",
        ),
      );
    if (operator === 'Exists') {
      if (toleration.value)
        findings.push(
          invalidValue(`${at}.operator`, toleration.value, "value must be empty when `operator` is 'Exists'"),
        );
    } else if (operator !== 'Equal')
      findings.push(notSupported(`${at}.operator`, operator, ['Equal', 'Exists']));
    if (toleration.effect) findings.push(...oneOf(toleration.effect, TAINT_EFFECTS, `${at}.effect`));
    return findings;
  });
}

function nodeSelectorTerm(term: any, field: string): FieldError[] {
  return (term.matchExpressions ?? []).flatMap((expression: any, i: number) => {
    const at = `${field}.matchExpressions[${i}]`;
    const { key = '', operator, values = [] } = expression;
    const findings = invalidAll(`${at}.key`, key, qualifiedNameErrors(key));
    if (!NODE_OPERATORS.has(operator))
      findings.push(invalidValue(`${at}.operator`, operator ?? '', 'not a valid selector operator'));
    else if ((operator === 'In' || operator === 'NotIn') && values.length === 0)
      findings.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    else if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0)
      findings.push({
        ...required(`${at}.values`),
        type: 'Forbidden',
        message: "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
      });
    else if ((operator === 'Gt' || operator === 'Lt') && values.length !== 1)
      findings.push(
        required(`${at}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"),
      );
    return findings;
  });
}

export function nodeSelector(selector: any, field: string): FieldError[] {
  const terms = selector.nodeSelectorTerms ?? [];
  if (terms.length === 0)
    return [required(`${field}.nodeSelectorTerms`, 'must have at least one node selector term')];
  return terms.flatMap((term: any, i: number) => nodeSelectorTerm(term, `${field}.nodeSelectorTerms[${i}]`));
}

function podAffinityTerm(term: any, field: string): FieldError[] {
  return [
    ...labelSelector(term.labelSelector, `${field}.labelSelector`),
    ...labelSelector(term.namespaceSelector, `${field}.namespaceSelector`),
    ...(term.topologyKey
      ? invalidAll(`${field}.topologyKey`, term.topologyKey, qualifiedNameErrors(term.topologyKey))
      : [required(`${field}.topologyKey`, 'can not be empty')]),
  ];
}

function weight(value: number, field: string): FieldError[] {
  return value >= 1 && value <= 100 ? [] : [invalidValue(field, value ?? 0, 'must be in the range 1-100')];
}

function affinity(value: any, field: string): FieldError[] {
  if (!value) return [];
  const findings: FieldError[] = [];
  const node = value.nodeAffinity;
  const hard = 'requiredDuringSchedulingIgnoredDuringExecution';
  const soft = 'preferredDuringSchedulingIgnoredDuringExecution';
  if (node?.[hard]) findings.push(...nodeSelector(node[hard], `${field}.nodeAffinity.${hard}`));
  for (const [i, term] of (node?.[soft] ?? []).entries()) {
    const at = `${field}.nodeAffinity.${soft}[${i}]`;
    findings.push(
      ...weight(term.weight, `${at}.weight`),
      ...nodeSelectorTerm(term.preference ?? {}, `${at}.preference`),
    );
  }
  for (const kind of ['podAffinity', 'podAntiAffinity']) {
    for (const [i, term] of (value[kind]?.[hard] ?? []).entries())
      findings.push(...podAffinityTerm(term, `${field}.${kind}.${hard}[${i}]`));
    for (const [i, term] of (value[kind]?.[soft] ?? []).entries()) {
      const at = `${field}.${kind}.${soft}[${i}]`;
      findings.push(
        ...weight(term.weight, `${at}.weight`),
        ...podAffinityTerm(term.podAffinityTerm ?? {}, `${at}.podAffinityTerm`),
      );
    }
  }
  return findings;
}

function topologySpread(list: any[] = [], field: string): FieldError[] {
  const seen = new Set<string>();
  return list.flatMap((constraint, i) => {
    const at = `${field}[${i}]`;
    const findings: FieldError[] = [];
    if (!(constraint.maxSkew > 0))
      findings.push(invalidValue(`${at}.maxSkew`, constraint.maxSkew ?? 0, 'must be greater than zero'));
    if (!constraint.topologyKey) findings.push(required(`${at}.topologyKey`, 'can not be empty'));
    const when = constraint.whenUnsatisfiable ?? '';
    findings.push(...oneOf(when, ['DoNotSchedule', 'ScheduleAnyway'], `${at}.whenUnsatisfiable`));
    const pair = `{${constraint.topologyKey}, ${when}}`;
    if (seen.has(pair)) findings.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, pair));
    seen.add(pair);
    findings.push(...labelSelector(constraint.labelSelector, `${at}.labelSelector`));
    return findings;
  });
}

/** Everything about one pod spec at `field`. */
export function podSpec(spec: any = {}, field: string): FieldError[] {
  const held = volumes(spec.volumes, `${field}.volumes`);
  const findings: FieldError[] = [...held.findings, ...containers(spec, field, held.names)];
  if (!spec.restartPolicy) findings.push(required(`${field}.restartPolicy`));
  else findings.push(...oneOf(spec.restartPolicy, RESTART_POLICIES, `${field}.restartPolicy`));
  findings.push(...oneOf(spec.dnsPolicy, DNS_POLICIES, `${field}.dnsPolicy`));
  findings.push(...labelMap(spec.nodeSelector, `${field}.nodeSelector`));
  const context = spec.securityContext;
  if (context) {
    const at = `${field}.securityContext`;
    findings.push(
      ...userId(context.fsGroup, `${at}.fsGroup`),
      ...userId(context.runAsUser, `${at}.runAsUser`),
      ...userId(context.runAsGroup, `${at}.runAsGroup`),
    );
  }
  for (const [i, secret] of (spec.imagePullSecrets ?? []).entries())
    if (!secret.name) findings.push(required(`${field}.imagePullSecrets[${i}].name`));
  findings.push(...affinity(spec.affinity, `${field}.affinity`));
  if (spec.dnsPolicy === 'None' && !spec.dnsConfig?.nameservers?.length)
    findings.push(
      required(`${field}.dnsConfig`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'),
    );
  for (const [i, gate] of (spec.schedulingGates ?? []).entries())
    findings.push(
      ...invalidAll(`${field}.schedulingGates[${i}]`, gate.name ?? '', qualifiedNameErrors(gate.name ?? '')),
    );
  findings.push(...topologySpread(spec.topologySpreadConstraints, `${field}.topologySpreadConstraints`));
  const named: [string, (value: string) => string[]][] = [
    ['serviceAccountName', dns1123SubdomainErrors],
    ['nodeName', dns1123SubdomainErrors],
  ];
  for (const [name, rule] of named)
    if (spec[name]) findings.push(...invalidAll(`${field}.${name}`, spec[name], rule(spec[name])));
  if (
    spec.activeDeadlineSeconds !== undefined &&
    (spec.activeDeadlineSeconds < 1 || spec.activeDeadlineSeconds > MAX_INT32)
  )
    findings.push(
      invalidValue(
        `${field}.activeDeadlineSeconds`,
        spec.activeDeadlineSeconds,
        `must be between 1 and ${MAX_INT32}, inclusive`,
      ),
    );
  findings.push(...nonNegative(spec.terminationGracePeriodSeconds, `${field}.terminationGracePeriodSeconds`));
  for (const name of ['hostname', 'subdomain'])
    if (spec[name])
      findings.push(...invalidAll(`${field}.${name}`, spec[name], dns1123LabelErrors(spec[name])));
  findings.push(...tolerations(spec.tolerations, `${field}.tolerations`));
  for (const [i, alias] of (spec.hostAliases ?? []).entries())
    findings.push(...invalidAll(`${field}.hostAliases[${i}].ip`, alias.ip ?? '', ipErrors(alias.ip ?? '')));
  for (const name of ['priorityClassName', 'runtimeClassName'])
    if (spec[name])
      findings.push(...invalidAll(`${field}.${name}`, spec[name], dns1123SubdomainErrors(spec[name])));
  findings.push(
    ...oneOf(spec.preemptionPolicy, ['PreemptLowerPriority', 'Never'], `${field}.preemptionPolicy`),
  );
  for (const name of Object.keys(spec.overhead ?? {}))
    findings.push(...nonNegativeQuantity(spec.overhead[name], `${field}.overhead[${name}]`));
  return findings;
}
