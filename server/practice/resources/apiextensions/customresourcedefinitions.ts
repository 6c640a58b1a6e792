// CustomResourceDefinitions. What a definition brings to life is the registry's business.

import {
  dns1035LabelErrors,
  dns1123SubdomainErrors,
  duplicate,
  type FieldError,
  forbiddenField,
  invalidAll,
  invalidValue,
  type KubeObject,
  notSupported,
  required,
} from '../../../kube/index.ts';
import { CREATED_COLUMNS, createdRow } from '../format.ts';
import { statusOf } from '../parts.ts';
import type { ResourceDefinition } from '../types.ts';
import { oneOf } from '../validation/common.ts';
import { structuralFindings, unrecognizedFormats } from './structural.ts';

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
/** Groups of the project itself need an approval that people's definitions do not have. */
const PROTECTED_GROUP = /(?:^|\.)(?:k8s|kubernetes)\.io$/;
const APPROVAL = 'api-approved.kubernetes.io';

function names(value: any = {}, field: string): FieldError[] {
  const findings: FieldError[] = [];
  const labels: [string, string][] = [
    ['plural', value.plural],
    ['singular', value.singular],
    ['kind', value.kind?.toLowerCase()],
    ['listKind', value.listKind?.toLowerCase()],
  ];
  for (const [name, text] of labels) {
    if (!text) {
      if (name !== 'singular' || value.singular !== undefined) findings.push(required(`${field}.${name}`));
      continue;
    }
    findings.push(...invalidAll(`${field}.${name}`, value[name], dns1035LabelErrors(text)));
  }
  for (const [list, entries] of [
    ['shortNames', value.shortNames],
    ['categories', value.categories],
  ] as const)
    for (const [i, entry] of (entries ?? []).entries())
      findings.push(...invalidAll(`${field}.${list}[${i}]`, entry, dns1035LabelErrors(entry)));
  if (value.kind && value.kind === value.listKind)
    findings.push(invalidValue(`${field}.listKind`, value.listKind, 'kind and listKind may not be the same'));
  return findings;
}

function subresources(value: any, field: string): FieldError[] {
  const scale = value?.scale;
  if (!scale) return [];
  const findings: FieldError[] = [];
  for (const [name, prefix] of [
    ['specReplicasPath', '.spec.'],
    ['statusReplicasPath', '.status.'],
  ] as const) {
    const path: string = scale[name] ?? '';
    if (!path) findings.push(required(`${field}.scale.${name}`));
    else if (!path.startsWith(prefix))
      findings.push(
        invalidValue(`${field}.scale.${name}`, path, `should be a json path under ${prefix.slice(0, -1)}`),
      );
  }
  return findings;
}

function columns(list: any[] = [], field: string): FieldError[] {
  return list.flatMap((column, i) => {
    const at = `${field}[${i}]`;
    const findings: FieldError[] = [];
    if (!column.name) findings.push(required(`${at}.name`));
    if (!column.type) findings.push(required(`${at}.type`, `must be one of ${COLUMN_TYPES.join(',')}`));
    else if (!COLUMN_TYPES.includes(column.type))
      findings.push(invalidValue(`${at}.type`, column.type, `must be one of ${COLUMN_TYPES.join(',')}`));
    if (!column.jsonPath) findings.push(required(`${at}.jsonPath`));
    else if (!column.jsonPath.startsWith('.'))
      findings.push(
        invalidValue(`${at}.jsonPath`, column.jsonPath, 'must be a simple json path starting with .'),
      );
    return findings;
  });
}

function versions(definition: KubeObject): FieldError[] {
  const list: any[] = definition.spec?.versions ?? [];
  if (list.length === 0)
    return [required('spec.versions', 'must have exactly one version marked as storage version')];
  const findings: FieldError[] = [];
  const seen = new Set<string>();
  // With one version, or the same schema everywhere, upstream holds the schema at the top and names it so.
  const shared = list.every(version => JSON.stringify(version.schema) === JSON.stringify(list[0].schema));
  for (const [i, version] of list.entries()) {
    const at = `spec.versions[${i}]`;
    findings.push(...invalidAll(`${at}.name`, version.name, dns1035LabelErrors(version.name ?? '')));
    if (seen.has(version.name)) findings.push(duplicate(`${at}.name`, version.name));
    seen.add(version.name);
    const schema = version.schema?.openAPIV3Schema;
    if (!schema) findings.push(required(`${at}.schema.openAPIV3Schema`, 'schemas are required'));
    else if (!shared || i === 0)
      findings.push(
        ...structuralFindings(schema, {
          field: shared ? 'spec.validation.openAPIV3Schema' : `${at}.schema.openAPIV3Schema`,
          root: true,
        }),
      );
    findings.push(
      ...subresources(version.subresources, `${at}.subresources`),
      ...columns(version.additionalPrinterColumns, `${at}.additionalPrinterColumns`),
    );
  }
  const storage = list.filter(version => version.storage === true).length;
  if (storage !== 1)
    findings.push(
      invalidValue('spec.versions', list, 'must have exactly one version marked as storage version'),
    );
  return findings;
}

function conversion(value: any, field: string): FieldError[] {
  if (!value) return [];
  const findings = oneOf(value.strategy, ['None', 'Webhook'], `${field}.strategy`);
  if (value.strategy === 'Webhook') {
    if (!value.webhook?.clientConfig)
      findings.push(required(`${field}.webhookClientConfig`, 'required when strategy is set to Webhook'));
    if (!value.webhook?.conversionReviewVersions?.length)
      findings.push(required(`${field}.conversionReviewVersions`));
  } else if (value.webhook)
    findings.push(
      forbiddenField(`${field}.webhook`, 'should not be set when strategy is not set to Webhook'),
    );
  return findings;
}

function validate(definition: KubeObject): FieldError[] {
  const spec = definition.spec ?? {};
  const findings: FieldError[] = [];
  const wanted = `${spec.names?.plural ?? ''}.${spec.group ?? ''}`;
  if (definition.metadata.name && definition.metadata.name !== wanted)
    findings.push(
      invalidValue('metadata.name', definition.metadata.name, 'must be spec.names.plural+"."+spec.group'),
    );
  if (!spec.group) findings.push(required('spec.group'));
  else if (spec.group.split('.').length < 2)
    findings.push(invalidValue('spec.group', spec.group, 'should be a domain with at least one dot'));
  else findings.push(...invalidAll('spec.group', spec.group, dns1123SubdomainErrors(spec.group)));
  if (!spec.scope) findings.push(required('spec.scope'));
  else if (!['Cluster', 'Namespaced'].includes(spec.scope))
    findings.push(notSupported('spec.scope', spec.scope, ['Cluster', 'Namespaced']));
  findings.push(
    ...versions(definition),
    ...names(spec.names, 'spec.names'),
    ...conversion(spec.conversion, 'spec.conversion'),
  );
  if (spec.preserveUnknownFields === true)
    findings.push(
      invalidValue(
        'spec.preserveUnknownFields',
        true,
        'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
      ),
    );
  if (spec.group && PROTECTED_GROUP.test(spec.group) && !definition.metadata.annotations?.[APPROVAL])
    findings.push(
      required(
        `metadata.annotations[${APPROVAL}]`,
        'protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
      ),
    );
  return findings;
}

const FIXED = ['group', 'scope'] as const;

export const customresourcedefinitions: ResourceDefinition = {
  group: 'apiextensions.k8s.io',
  versions: ['v1'],
  kind: 'CustomResourceDefinition',
  resource: 'customresourcedefinitions',
  singular: 'customresourcedefinition',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  subresources: [statusOf('apiextensions.k8s.io', 'v1', 'CustomResourceDefinition')],
  allowUnconditionalUpdate: false,
  hasGeneration: true,
  returnsDeleted: true,
  prepareForCreate(definition) {
    const list: any[] = definition.spec?.versions ?? [];
    definition.status = {
      storedVersions: list.filter(version => version.storage).map(version => version.name),
    };
  },
  prepareForUpdate(definition, old) {
    const list: any[] = definition.spec?.versions ?? [];
    const stored: string[] = old.status?.storedVersions ?? [];
    const added = list
      .filter(version => version.storage && !stored.includes(version.name))
      .map(version => version.name);
    if (added.length > 0) definition.status = { ...old.status, storedVersions: [...stored, ...added] };
  },
  validate,
  validateUpdate(definition, old) {
    const established = (old.status?.conditions ?? []).some(
      (c: any) => c.type === 'Established' && c.status === 'True',
    );
    if (!established) return [];
    const findings: FieldError[] = FIXED.filter(field => definition.spec?.[field] !== old.spec?.[field]).map(
      field => invalidValue(`spec.${field}`, definition.spec?.[field], 'field is immutable'),
    );
    for (const field of ['kind', 'plural'])
      if (definition.spec?.names?.[field] !== old.spec?.names?.[field])
        findings.push(
          invalidValue(`spec.names.${field}`, definition.spec?.names?.[field], 'field is immutable'),
        );
    const now = new Set((definition.spec?.versions ?? []).map((version: any) => version.name));
    for (const [i, name] of (old.status?.storedVersions ?? []).entries())
      if (!now.has(name))
        findings.push(
          invalidValue(
            `status.storedVersions[${i}]`,
            name,
            `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`,
          ),
        );
    return findings;
  },
  warnings(definition) {
    const formats = new Set<string>();
    for (const version of definition.spec?.versions ?? [])
      unrecognizedFormats(version.schema?.openAPIV3Schema, formats);
    return [...formats].map(format => `unrecognized format ${JSON.stringify(format)}`);
  },
  columns: CREATED_COLUMNS,
  row: createdRow,
};
