// How a refusal reads, in upstream's words. Knows no rules.

import { forbidden, StatusError } from '../../../kube/index.ts';
import type { AccessAttributes, AccessDecision } from '../types.ts';

/** The 403 for a request that was not allowed. */
export function forbiddenFor(attributes: AccessAttributes, decision: AccessDecision): StatusError {
  const user = attributes.user.name;
  const suffix = decision.reason ? `: ${decision.reason}` : '';
  if ('path' in attributes) {
    return new StatusError({
      message: `forbidden: User "${user}" cannot ${attributes.verb} path "${escapeHtml(attributes.path)}"${suffix}`,
      reason: 'Forbidden',
      details: {},
      code: 403,
    });
  }
  const { verb, group, resource, subresource, namespace, name } = attributes;
  const what = subresource ? `${resource}/${subresource}` : resource;
  const where = namespace ? `in the namespace "${namespace}"` : 'at the cluster scope';
  return forbidden(
    { group, resource },
    name ?? '',
    `User "${user}" cannot ${verb} resource "${what}" in API group "${group}" ${where}${suffix}`,
  );
}

/** Go's template escaping of what a client wrote into a path. */
function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
