// Runs the admission list in its order: first everyone may change, later everyone may refuse. Knows no plugin.

import type { AdmissionContext, AdmissionRequest } from '../admission/types.ts';
import { admissionContext, type Environment } from './environment.ts';
import type { RequestContext } from './types.ts';

export async function mutate(
  environment: Environment,
  context: RequestContext,
  request: AdmissionRequest,
): Promise<void> {
  const facts: AdmissionContext = admissionContext(environment, context);
  for (const plugin of environment.admission) {
    // Awaiting only promises keeps the common, synchronous case from yielding between read and write.
    const pending = plugin.mutate?.(request, facts);
    if (pending) await pending;
  }
}

export async function validate(
  environment: Environment,
  context: RequestContext,
  request: AdmissionRequest,
): Promise<void> {
  const facts: AdmissionContext = admissionContext(environment, context);
  for (const plugin of environment.admission) {
    const pending = plugin.validate?.(request, facts);
    if (pending) await pending;
  }
}
