// The logins in a pod's imagePullSecrets, and which of them are for an image. Knows no registry and no pull.

import type { KubeObject } from '../../kube/index.ts';
import type { ImageReference } from '../programs/index.ts';
import type { Login } from './registries.ts';

/** Hosts that docker's own tools write for Docker Hub. */
const HUB = new Set(['docker.io', 'index.docker.io']);

export interface Entry extends Login {
  /** Host, with a path where the login is for a part of the registry: `registry.example.com/team`. */
  for: string;
}

/** The logins of one secret; what cannot be read gives none, as upstream's keyring passes over it. */
export function loginsIn(secret: KubeObject): Entry[] {
  const text = (key: string) => Buffer.from(String(secret['data']?.[key] ?? ''), 'base64').toString('utf8');
  try {
    if (secret['type'] === 'kubernetes.io/dockerconfigjson')
      return entriesOf(JSON.parse(text('.dockerconfigjson')).auths ?? {});
    if (secret['type'] === 'kubernetes.io/dockercfg') return entriesOf(JSON.parse(text('.dockercfg')));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return [];
}

function entriesOf(auths: Record<string, any>): Entry[] {
  return Object.entries(auths).map(([server, auth]) => {
    const [name = '', ...rest] = Buffer.from(String(auth?.auth ?? ''), 'base64')
      .toString('utf8')
      .split(':');
    return {
      for: server.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, ''),
      username: auth?.username ?? name,
      password: auth?.password ?? rest.join(':'),
    };
  });
}

/** Those whose host and path fit the image, the most particular first. */
export function loginsFor(reference: ImageReference, entries: readonly Entry[]): Login[] {
  return entries
    .filter(entry => fits(entry.for, reference))
    .sort((a, b) => b.for.length - a.for.length)
    .map(({ username, password }) => ({ username, password }));
}

function fits(place: string, { domain, path }: ImageReference): boolean {
  const slash = place.indexOf('/');
  const host = slash < 0 ? place : place.slice(0, slash);
  const folder = slash < 0 ? '' : place.slice(slash + 1);
  if (!path.startsWith(folder)) return false;
  if (HUB.has(host)) return domain === 'docker.io';
  const parts = host.split('.');
  const asked = domain.split('.');
  return (
    parts.length === asked.length &&
    parts.every((part, i) => new RegExp(`^${asPattern(part)}$`).test(asked[i]!))
  );
}

/** A part of a host name as a pattern, where `*` stands for any letters of that part. */
const asPattern = (part: string) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^.]*');
