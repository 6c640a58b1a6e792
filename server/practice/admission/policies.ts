// ValidatingAdmissionPolicy: CEL expressions that bindings put in force. Nothing leaves the process.

import { type KubeObject, StatusError } from '../../kube/index.ts';
import {
  conditionsHold,
  failed,
  type Invocation,
  invocationsOf,
  programOf,
  scopeOf,
} from './policy-source.ts';
import { refuse } from './requests.ts';
import type { AdmissionPlugin, AdmissionRequest } from './types.ts';

interface Validation {
  expression: string;
  message?: string;
  messageExpression?: string;
  reason?: string;
}

/** One expression that did not hold. */
interface Denial {
  message: string;
  reason: string;
}

/** Longer messages of a messageExpression are not used. */
const MAX_MESSAGE = 5 * 1024;

const ignoresFailure = (policy: KubeObject) => policy.spec.failurePolicy === 'Ignore';

function denialsOf(policy: KubeObject, scope: Record<string, unknown>): Denial[] {
  const denials: Denial[] = [];
  const error = (message: string) => {
    if (!ignoresFailure(policy)) denials.push({ message, reason: 'Invalid' });
  };
  const matched = conditionsHold(policy, scope);
  if (typeof matched === 'string') error(matched);
  if (matched !== true) return denials;
  for (const validation of (policy.spec.validations ?? []) as Validation[]) {
    const { expression, reason = 'Invalid' } = validation;
    try {
      if (programOf(expression)(scope) === true) continue;
      denials.push({ message: messageOf(validation, scope), reason });
    } catch (cause) {
      error(failed(expression, cause));
    }
  }
  return denials;
}

/** Annotations go to an audit log, which is not kept here; what fails in them refuses all the same. */
function annotationFailures(policy: KubeObject, scope: Record<string, unknown>): Denial[] {
  if (ignoresFailure(policy) || conditionsHold(policy, scope) !== true) return [];
  const annotations: { valueExpression: string }[] = policy.spec.auditAnnotations ?? [];
  return annotations.flatMap(({ valueExpression }) => {
    try {
      const value = programOf(valueExpression)(scope);
      if (typeof value === 'string' || value === null) return [];
      const message = `valueExpression '${valueExpression}' resulted in unsupported return type: ${typeName(value)}. Return type must be either string or null.`;
      return [{ message, reason: 'Invalid' }];
    } catch (error) {
      return [{ message: failed(valueExpression, error), reason: 'Invalid' }];
    }
  });
}

function typeName(value: unknown): string {
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'double';
  if (typeof value === 'boolean') return 'bool';
  return Array.isArray(value) ? 'list' : 'map';
}

function messageOf(validation: Validation, scope: Record<string, unknown>): string {
  if (validation.messageExpression) {
    try {
      const text = programOf(validation.messageExpression)(scope);
      const message = typeof text === 'string' ? text.trim() : '';
      if (message && message.length <= MAX_MESSAGE && !message.includes('\n')) return message;
    } catch {
      // The plain message stands in.
    }
  }
  return validation.message?.trim() || `failed expression: ${validation.expression.trim()}`;
}

const CODES: Record<string, number> = {
  Invalid: 422,
  Forbidden: 403,
  Unauthorized: 401,
  RequestEntityTooLarge: 413,
};

function denied(
  request: AdmissionRequest,
  { policy, binding }: { policy: KubeObject; binding?: KubeObject },
  { message, reason }: Denial,
): StatusError {
  const by = binding ? ` with binding '${binding.metadata.name}'` : '';
  const { status } = refuse(
    request,
    `ValidatingAdmissionPolicy '${policy.metadata.name}'${by} denied request: ${message}`,
  );
  return new StatusError({
    ...status,
    reason,
    code: CODES[reason] ?? 422,
    details: { ...status.details, causes: [{ reason: '', message: status.message ?? '' }] },
  });
}

export const validatingPolicies: AdmissionPlugin = {
  name: 'ValidatingAdmissionPolicy',
  validate(request, context) {
    const { due, misfits } = invocationsOf('validatingadmissionpolicies', request, context);
    /** Everybody is heard, the first refusal counts. */
    let refusal: StatusError | undefined;
    for (const misfit of misfits)
      if (!ignoresFailure(misfit.policy))
        refusal ??= denied(request, misfit, { message: misfit.message, reason: 'Invalid' });
    for (const invocation of due) {
      const { policy, binding }: Invocation = invocation;
      const scope = scopeOf(invocation, request, context);
      const actions: string[] = binding.spec.validationActions ?? [];
      for (const denial of denialsOf(policy, scope)) {
        if (actions.includes('Warn'))
          context.warn(
            `Validation failed for ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}': ${denial.message}`,
          );
        if (actions.includes('Deny')) refusal ??= denied(request, invocation, denial);
      }
      for (const denial of annotationFailures(policy, scope)) refusal ??= denied(request, invocation, denial);
    }
    if (refusal) throw refusal;
  },
};
