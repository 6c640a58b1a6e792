// Image references as Docker and containerd read them. Knows no registry and no image.

export interface ImageReference {
  domain: string;
  /** Without the domain: `library/nginx`. */
  path: string;
  tag?: string;
  digest?: string;
  /** `docker.io/library/nginx`. */
  repository: string;
  /** Repository with tag or digest: `docker.io/library/nginx:1.27`. */
  canonical: string;
}

const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const DOMAIN =
  /^(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::\d+)?$/;
const TAG = /^[\w][\w.-]{0,127}$/;
const DIGEST = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}$/;

/** Why a reference cannot be read, in the words of distribution/reference. */
export class InvalidReference extends Error {}

export function parseReference(text: string): ImageReference {
  let rest = text;
  let digest: string | undefined;
  const at = rest.indexOf('@');
  if (at >= 0) {
    digest = rest.slice(at + 1);
    rest = rest.slice(0, at);
    if (!DIGEST.test(digest)) throw new InvalidReference('invalid reference format');
  }
  const first = rest.split('/')[0]!;
  const hasDomain =
    rest.includes('/') && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first);
  let domain = hasDomain ? first : 'docker.io';
  if (domain === 'index.docker.io') domain = 'docker.io';
  let remainder = hasDomain ? rest.slice(first.length + 1) : rest;
  let tag: string | undefined;
  const colon = remainder.lastIndexOf(':');
  if (colon > remainder.lastIndexOf('/')) {
    tag = remainder.slice(colon + 1);
    remainder = remainder.slice(0, colon);
  }
  if (domain === 'docker.io' && !remainder.includes('/')) remainder = `library/${remainder}`;
  if (remainder.toLowerCase() !== remainder)
    throw new InvalidReference(`invalid reference format: repository name (${remainder}) must be lowercase`);
  if (!PATH.test(remainder) || !DOMAIN.test(domain) || (tag !== undefined && !TAG.test(tag)))
    throw new InvalidReference('invalid reference format');
  if (tag === undefined && digest === undefined) tag = 'latest';
  const repository = `${domain}/${remainder}`;
  return {
    domain,
    path: remainder,
    tag,
    digest,
    repository,
    canonical: digest ? `${repository}@${digest}` : `${repository}:${tag}`,
  };
}
