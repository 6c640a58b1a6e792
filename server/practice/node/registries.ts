// What registries answer to a pull: sizes for those who may have the image, refusals in containerd's words for the
// others. Knows the catalogue and who is asking, no node and no pod.

import type { Clock } from '../../clock.ts';
import { type ImageReference, type ImageRegistry, imageEntry, registries } from '../programs/index.ts';
import { sha256 } from './digest.ts';

export interface Login {
  username: string;
  password: string;
}

/** How many pulls a registry grants to those who do not log in. */
export interface PullLimit {
  /** `docker.io` */
  registry: string;
  pulls: number;
  hours: number;
}

export class PullError extends Error {}

/** One for all nodes of a cluster: they share an address, and registries count by address. */
export class Registries {
  private readonly clock: Clock;
  private readonly limit: PullLimit | undefined;
  private granted: number[] = [];

  constructor(clock: Clock, limit?: PullLimit) {
    this.clock = clock;
    this.limit = limit;
  }

  /** Compressed size in bytes of what may be pulled; throws a PullError otherwise. */
  resolve(reference: ImageReference, login?: Login): number {
    const { canonical, domain, repository } = reference;
    const refuse = (why: string) =>
      new PullError(
        `failed to pull and unpack image "${canonical}": failed to resolve reference "${canonical}": ${why}`,
      );
    const registry = registries[domain];
    if (!registry) throw refuse(unreachable(reference));
    const entry = imageEntry(repository);
    const known = isKnown(domain, login);
    if (login && !known && (registry.login !== 'basic' || entry?.private))
      throw refuse(wrongLogin(registry, reference));
    const denied = 'pull access denied, repository does not exist or may require authorization: ';
    if (!known && registry.login === 'basic' && registry.accounts)
      throw refuse(`${denied}authorization failed: no basic auth credentials`);
    if ((!entry && domain === 'docker.io') || (entry?.private && !known))
      throw refuse(`${denied}server message: insufficient_scope: authorization failed`);
    const size = entry?.tags[reference.digest ?? reference.tag ?? 'latest'];
    if (size === undefined) throw refuse(`${canonical}: not found`);
    return size;
  }

  /** Hands out what `resolve` found, which is what registries count; throws a PullError once it was too often. */
  grant(reference: ImageReference, login?: Login): void {
    const { canonical, domain, path, digest } = reference;
    if (!this.limit || domain !== this.limit.registry || isKnown(domain, login)) return;
    const now = this.clock.now();
    const since = now - this.limit.hours * 3_600_000;
    // Pulls of a future that the cluster was taken back from count no more.
    this.granted = this.granted.filter(at => at > since && at <= now);
    if (this.granted.length < this.limit.pulls) {
      this.granted.push(now);
      return;
    }
    const host = registries[domain]?.endpoint ?? domain;
    throw new PullError(
      `failed to pull and unpack image "${canonical}": failed to copy: httpReadSeeker: failed open: unexpected status code https://${host}/v2/${path}/manifests/${digest ?? sha256(`manifest ${canonical}`)}: 429 Too Many Requests - Server message: toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit`,
    );
  }
}

const isKnown = (domain: string, login: Login | undefined) =>
  login !== undefined && registries[domain]?.accounts?.[login.username] === login.password;

const manifestOf = (host: string, { path, digest, tag }: ImageReference) =>
  `https://${host}/v2/${path}/manifests/${digest ?? tag}`;

function wrongLogin(registry: ImageRegistry, reference: ImageReference): string {
  if (registry.login === 'basic')
    return `unexpected status from HEAD request to ${manifestOf(reference.domain, reference)}: 401 Unauthorized`;
  const scope = encodeURIComponent(`repository:${reference.path}:pull`);
  return `failed to authorize: failed to fetch oauth token: unexpected status from GET request to ${registry.login.token}?scope=${scope}&service=${registry.login.service}: 401 Unauthorized`;
}

function unreachable(reference: ImageReference): string {
  const { domain } = reference;
  const host = domain.replace(/:\d+$/, '');
  const request = `failed to do request: Head "${manifestOf(domain, reference)}": `;
  const address = host === 'localhost' ? '127.0.0.1' : host;
  if (/^\d+\.\d+\.\d+\.\d+$/.test(address))
    return `${request}dial tcp ${address}:${domain.split(':')[1] ?? '443'}: connect: connection refused`;
  return `${request}dial tcp: lookup ${host} on 192.168.49.1:53: no such host`;
}
