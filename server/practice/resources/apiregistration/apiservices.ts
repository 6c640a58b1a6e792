// APIServices.

import {
  type FieldError,
  forbiddenField,
  invalidValue,
  type KubeObject,
  required,
} from '../../../kube/index.ts';
import { AGE, age, NAME, text } from '../format.ts';
import { statusOf } from '../parts.ts';
import type { ResourceDefinition } from '../types.ts';

const MAX_GROUP_PRIORITY = 20000;
const MAX_VERSION_PRIORITY = 1000;

function validate(service: KubeObject): FieldError[] {
  const spec = service.spec ?? {};
  const findings: FieldError[] = [];
  const name = `${spec.version ?? ''}.${spec.group ?? ''}`;
  if (service.metadata.name && service.metadata.name !== name)
    findings.push(
      invalidValue(
        'metadata.name',
        service.metadata.name,
        `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(name)}`,
      ),
    );
  if (!spec.version) findings.push(required('spec.version'));
  if (!(spec.groupPriorityMinimum > 0 && spec.groupPriorityMinimum <= MAX_GROUP_PRIORITY))
    findings.push(
      invalidValue(
        'spec.groupPriorityMinimum',
        spec.groupPriorityMinimum ?? 0,
        'must be positive and less than 20000',
      ),
    );
  if (!(spec.versionPriority > 0 && spec.versionPriority <= MAX_VERSION_PRIORITY))
    findings.push(
      invalidValue('spec.versionPriority', spec.versionPriority ?? 0, 'must be positive and less than 1000'),
    );
  if (!spec.service) {
    if (spec.caBundle)
      findings.push(
        invalidValue(
          'spec.caBundle',
          `${Buffer.byteLength(spec.caBundle, 'base64')} bytes`,
          'local APIServices may not have a caBundle',
        ),
      );
    if (spec.insecureSkipTLSVerify)
      findings.push(
        invalidValue(
          'spec.insecureSkipTLSVerify',
          true,
          'local APIServices may not have insecureSkipTLSVerify',
        ),
      );
    return findings;
  }
  if (!spec.service.namespace) findings.push(required('spec.service.namespace'));
  if (!spec.service.name) findings.push(required('spec.service.name'));
  if (spec.insecureSkipTLSVerify && spec.caBundle)
    findings.push(forbiddenField('spec.insecureSkipTLSVerify', 'may not be true if caBundle is present'));
  return findings;
}

export const apiservices: ResourceDefinition = {
  group: 'apiregistration.k8s.io',
  versions: ['v1'],
  kind: 'APIService',
  resource: 'apiservices',
  singular: 'apiservice',
  categories: ['api-extensions'],
  namespaced: false,
  subresources: [statusOf('apiregistration.k8s.io', 'v1', 'APIService')],
  nameRule: 'path-segment',
  allowUnconditionalUpdate: false,
  prepareForCreate(service, { now }) {
    // A local service is there with the server itself; a remote one is so far only claimed.
    if (service.spec?.service) return;
    service.status = {
      conditions: [
        {
          type: 'Available',
          status: 'True',
          lastTransitionTime: `${new Date(now).toISOString().slice(0, 19)}Z`,
          reason: 'Local',
          message: 'Local APIServices are always available',
        },
      ],
    };
  },
  validate,
  columns: [
    NAME,
    text('Service', 'The reference to the service that hosts this API endpoint.'),
    text('Available', 'Whether this service is available.'),
    AGE,
  ],
  row: (service, context) => {
    const target = service.spec?.service;
    const available = (service.status?.conditions ?? []).find(
      (c: { type: string }) => c.type === 'Available',
    );
    const shown = !available
      ? 'Unknown'
      : available.status === 'True'
        ? 'True'
        : `${available.status} (${available.reason ?? ''})`;
    return [
      service.metadata.name,
      target ? `${target.namespace}/${target.name}` : 'Local',
      shown,
      age(service, context),
    ];
  },
};
