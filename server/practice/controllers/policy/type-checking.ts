// Tells in the status of a validating admission policy what its expressions get wrong about the kinds it is for, once for
// each generation. What is wrong is found out by whoever started the controllers.

import { VALIDATING_ADMISSION_POLICIES } from '../resources.ts';
import type { Controller } from '../types.ts';

export const admissionPolicyStatus: Controller = {
  name: 'validatingadmissionpolicy-status-controller',
  fieldManager: 'validatingadmissionpolicy-status-controller',
  watches: [{ resource: VALIDATING_ADMISSION_POLICIES }],
  async reconcile(name, context) {
    const policy = context.cache(VALIDATING_ADMISSION_POLICIES).get(undefined, name);
    const observedGeneration = policy?.metadata.generation ?? 0;
    if (!policy || !context.policyWarnings || observedGeneration <= (policy.status?.observedGeneration ?? 0))
      return;
    const expressionWarnings = context.policyWarnings(policy);
    const typeChecking = expressionWarnings.length > 0 ? { expressionWarnings } : {};
    await context.client.patch(
      VALIDATING_ADMISSION_POLICIES,
      { name },
      'apply',
      {
        apiVersion: policy.apiVersion,
        kind: policy.kind,
        metadata: { name },
        status: { observedGeneration, typeChecking },
      },
      { subresource: 'status', force: true },
    );
  },
};
