// ValidatingWebhookConfigurations and MutatingWebhookConfigurations.

import {
  dns1123SubdomainErrors,
  duplicate,
  type FieldError,
  invalidAll,
  invalidValue,
  type KubeObject,
  notSupported,
  required,
} from '../../../kube/index.ts';
import { AGE, age, integer, NAME } from '../format.ts';
import type { ResourceDefinition } from '../types.ts';
import { labelSelector, oneOf } from '../validation/common.ts';
import { matchConditions, openNames } from './expressions.ts';

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];

export function ruleWithOperations(rule: any, field: string): FieldError[] {
  const findings: FieldError[] = [];
  const list = (name: string) => {
    if (!rule[name]?.length) findings.push(required(`${field}.${name}`));
    if (rule[name]?.length > 1 && rule[name].includes('*') && name !== 'resources')
      findings.push(
        invalidValue(
          `${field}.${name}`,
          rule[name],
          "if '*' is present, must not specify other " +
            (name === 'apiGroups' ? 'API groups' : name === 'apiVersions' ? 'API versions' : name),
        ),
      );
  };
  list('apiGroups');
  list('apiVersions');
  list('resources');
  if (!rule.operations?.length) findings.push(required(`${field}.operations`));
  for (const [i, operation] of (rule.operations ?? []).entries())
    if (!OPERATIONS.includes(operation))
      findings.push(notSupported(`${field}.operations[${i}]`, operation, OPERATIONS));
  findings.push(...oneOf(rule.scope, ['*', 'Cluster', 'Namespaced'], `${field}.scope`));
  return findings;
}

function clientConfig(config: any = {}, field: string): FieldError[] {
  if (Boolean(config.url) === Boolean(config.service))
    return [required(field, 'exactly one of url or service is required')];
  const findings: FieldError[] = [];
  if (config.url) {
    let url: URL | undefined;
    try {
      url = new URL(config.url);
    } catch {
      url = undefined;
    }
    if (url?.protocol !== 'https:')
      findings.push(
        invalidValue(
          `${field}.url`,
          url ? url.protocol.replace(/:$/, '') : config.url,
          "'https' is the only allowed URL scheme; desired format: https://host[/path]",
        ),
      );
    return findings;
  }
  const { name, namespace, port } = config.service;
  if (!name) findings.push(required(`${field}.service.name`));
  if (!namespace) findings.push(required(`${field}.service.namespace`));
  if (port !== undefined && (port < 1 || port > 65535))
    findings.push(
      invalidValue(
        `${field}.service.port`,
        port,
        'port is not valid: must be between 1 and 65535, inclusive',
      ),
    );
  return findings;
}

function webhook(hook: any, mutating: boolean, field: string): FieldError[] {
  const findings: FieldError[] = [];
  const name: string = hook.name ?? '';
  const errors = dns1123SubdomainErrors(name);
  if (!name) findings.push(required(`${field}.name`));
  else if (errors.length > 0) findings.push(...invalidAll(`${field}.name`, name, errors));
  else if (name.split('.').length < 3)
    findings.push(
      invalidValue(
        `${field}.name`,
        name,
        'should be a domain with at least three segments separated by dots',
      ),
    );
  for (const [i, rule] of (hook.rules ?? []).entries())
    findings.push(...ruleWithOperations(rule, `${field}.rules[${i}]`));
  findings.push(
    ...oneOf(hook.failurePolicy, ['Fail', 'Ignore'], `${field}.failurePolicy`),
    ...oneOf(hook.matchPolicy, ['Equivalent', 'Exact'], `${field}.matchPolicy`),
  );
  if (!hook.sideEffects)
    findings.push(required(`${field}.sideEffects`, 'must specify one of None, NoneOnDryRun'));
  else findings.push(...oneOf(hook.sideEffects, ['None', 'NoneOnDryRun'], `${field}.sideEffects`));
  if (hook.timeoutSeconds !== undefined && (hook.timeoutSeconds > 30 || hook.timeoutSeconds < 1))
    findings.push(
      invalidValue(
        `${field}.timeoutSeconds`,
        hook.timeoutSeconds,
        'the timeout value must be between 1 and 30 seconds',
      ),
    );
  findings.push(
    ...labelSelector(hook.namespaceSelector, `${field}.namespaceSelector`),
    ...labelSelector(hook.objectSelector, `${field}.objectSelector`),
    ...clientConfig(hook.clientConfig, `${field}.clientConfig`),
  );
  if (!hook.admissionReviewVersions?.length)
    findings.push(required(`${field}.admissionReviewVersions`, 'must specify one of v1, v1beta1'));
  else if (!hook.admissionReviewVersions.some((version: string) => version === 'v1' || version === 'v1beta1'))
    findings.push(
      invalidValue(
        `${field}.admissionReviewVersions`,
        hook.admissionReviewVersions,
        'must include at least one of v1, v1beta1',
      ),
    );
  if (mutating)
    findings.push(...oneOf(hook.reinvocationPolicy, ['IfNeeded', 'Never'], `${field}.reinvocationPolicy`));
  findings.push(...matchConditions(hook.matchConditions, `${field}.matchConditions`, openNames(false)));
  return findings;
}

function validate(configuration: KubeObject, mutating: boolean): FieldError[] {
  const names = new Set<string>();
  return (configuration.webhooks ?? []).flatMap((hook: any, i: number) => {
    const findings = webhook(hook, mutating, `webhooks[${i}]`);
    if (hook.name && names.has(hook.name)) findings.push(duplicate(`webhooks[${i}].name`, hook.name));
    names.add(hook.name);
    return findings;
  });
}

const configuration = (kind: string, resource: string, mutating: boolean): ResourceDefinition => ({
  group: 'admissionregistration.k8s.io',
  versions: ['v1'],
  kind,
  resource,
  singular: kind.toLowerCase(),
  categories: ['api-extensions'],
  namespaced: false,
  hasGeneration: true,
  validate: object => validate(object, mutating),
  columns: [
    NAME,
    integer('Webhooks', 'Webhooks indicates the number of webhooks registered in this configuration'),
    AGE,
  ],
  row: (object, context) => [object.metadata.name, object.webhooks?.length ?? 0, age(object, context)],
});

export const mutatingwebhookconfigurations = configuration(
  'MutatingWebhookConfiguration',
  'mutatingwebhookconfigurations',
  true,
);
export const validatingwebhookconfigurations = configuration(
  'ValidatingWebhookConfiguration',
  'validatingwebhookconfigurations',
  false,
);
