// Who asks, whether they may, and what their URL names: the first steps of every request and of every upgrade.

import type { TLSSocket } from 'node:tls';
import { forbiddenFor } from '../registry/index.ts';
import type { AccessAttributes, Registry, ServedResource, User } from '../registry/types.ts';
import { authenticate, impersonate } from './authentication.ts';
import type { WireRequest } from './body.ts';
import type { ServerParts } from './parts.ts';
import { nameInFieldSelector, type RequestInfo } from './request-info.ts';

/** The user who acts, impersonation included. */
export async function identify(parts: ServerParts, request: WireRequest): Promise<User> {
  const socket = ('stream' in request && request.stream?.session?.socket) || request.socket;
  const user = await authenticate(socket as TLSSocket, request.headers, parts.tokens);
  return impersonate(user, request.headers, parts.registry.authorizer);
}

/** Throws Forbidden in upstream's words. */
export function authorize(parts: ServerParts, user: User, info: RequestInfo, verb = info.verb): void {
  const { resource } = info;
  const name = resource?.name ?? (resource ? nameInFieldSelector(info.query) : undefined);
  const attributes: AccessAttributes = resource
    ? {
        user,
        verb,
        group: resource.group,
        version: resource.version,
        resource: resource.resource,
        ...(resource.subresource !== undefined ? { subresource: resource.subresource } : {}),
        ...(resource.namespace !== undefined ? { namespace: resource.namespace } : {}),
        ...(name !== undefined ? { name } : {}),
      }
    : { user, verb, path: info.path };
  const decision = parts.registry.authorizer.decide(attributes);
  if (!decision.allowed) throw forbiddenFor(attributes, decision);
}

/** The resource behind a URL, when the URL's shape fits its scope. */
export function findServed(
  registry: Registry,
  resource: NonNullable<RequestInfo['resource']>,
): ServedResource | undefined {
  const served = registry.find(resource.group, resource.version, resource.resource);
  if (!served) return undefined;
  const { definition } = served;
  const inNamespace = resource.namespace !== undefined && definition.resource !== 'namespaces';
  if (inNamespace && !definition.namespaced) return undefined;
  if (definition.namespaced && !inNamespace && resource.name !== undefined) return undefined;
  if (resource.subresource !== undefined) {
    return definition.subresources?.some(item => item.name === resource.subresource) ? served : undefined;
  }
  return served;
}
