// Runs the admission list in its order: first everyone may change, later everyone may refuse. Knows no plugin.

import type { AdmissionContext, AdmissionRequest } from '../admission/types.ts';
import { admissionContext, type Environment } from './environment.ts';
import type { RequestContext } from './types.ts';

/**
 * Both give a promise only when a step has to wait (webhooks). Callers await only then, so that the common write never
 * yields between reading an object and storing the next one.
 */
export function mutate(
  environment: Environment,
  context: RequestContext,
  request: AdmissionRequest,
): Promise<void> | undefined {
  const facts = admissionContext(environment, context);
  const pending = run(environment, 'mutate', request, facts, 0);
  if (pending)
    return pending.then(() =>
      request.invoked ? run(environment, 'mutateAgain', request, facts, 0) : undefined,
    );
  return request.invoked ? run(environment, 'mutateAgain', request, facts, 0) : undefined;
}

export function validate(
  environment: Environment,
  context: RequestContext,
  request: AdmissionRequest,
): Promise<void> | undefined {
  return run(environment, 'validate', request, admissionContext(environment, context), 0);
}

function run(
  environment: Environment,
  phase: 'mutate' | 'mutateAgain' | 'validate',
  request: AdmissionRequest,
  facts: AdmissionContext,
  from: number,
): Promise<void> | undefined {
  const { admission } = environment;
  for (let i = from; i < admission.length; i++) {
    const pending = admission[i]?.[phase]?.(request, facts);
    if (pending) return pending.then(() => run(environment, phase, request, facts, i + 1));
  }
  return undefined;
}
