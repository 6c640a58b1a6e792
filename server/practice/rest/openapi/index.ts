// Serves /openapi/v3: the index with its hashed URLs, and one document a group-version, built when first asked for and kept
// until what is served changes.

import { createHash } from 'node:crypto';
import { apiVersionOf } from '../../../kube/index.ts';
import type { Registry, ServedResource } from '../../registry/types.ts';
import { schemaStamp } from '../../schema/index.ts';
import type { WireRequest } from '../body.ts';
import { notAcceptable, parseAccept } from '../negotiate.ts';
import type { Reply } from '../reply.ts';
import { SERVER_VERSION } from '../version.ts';
import { buildDocument } from './document.ts';

export interface OpenApi {
  answer(path: string, query: URLSearchParams, request: WireRequest, reply: Reply): void;
}

interface Entry {
  resources: ServedResource[];
  hash: string;
  document?: Buffer;
}

const ROOT = '/openapi/v3';
/** Documents are named by their hash, so they never change: a year, seconds. */
const LIFETIME = 365 * 24 * 3600;

export function createOpenApi(registry: Registry): OpenApi {
  let entries: Map<string, Entry> | undefined;
  registry.onServedChange(() => {
    entries = undefined;
  });

  return {
    answer(path, query, request, reply) {
      const accepted = parseAccept(request.headers.accept).some(({ type }) =>
        ['application/json', 'application/*', '*/*'].includes(type),
      );
      if (!accepted) throw notAcceptable(['application/json']);
      entries ??= index(registry.served());
      if (path === ROOT || path === `${ROOT}/`) {
        const paths: Record<string, unknown> = {};
        for (const [name, { hash }] of entries)
          paths[name] = { serverRelativeURL: `${ROOT}/${name}?hash=${hash}` };
        reply.object(200, { paths });
        return;
      }
      const name = path.slice(ROOT.length + 1);
      const entry = entries.get(name);
      if (entry) send(name, entry, query, request, reply);
      else reply.text(404, '404 page not found\n');
    },
  };
}

function send(name: string, entry: Entry, query: URLSearchParams, request: WireRequest, reply: Reply): void {
  const { response } = reply;
  const asked = query.get('hash');
  if (asked !== null && asked !== entry.hash) {
    response.setHeader('Location', `${ROOT}/${name}?hash=${entry.hash}`);
    reply.body(301, 'text/plain; charset=utf-8', Buffer.alloc(0));
    return;
  }
  response.setHeader('ETag', `"${entry.hash}"`);
  response.setHeader('Vary', 'Accept-Encoding, Accept');
  if (asked !== null) response.setHeader('Cache-Control', `public, immutable, max-age=${LIFETIME}`);
  if (request.headers['if-none-match'] === `"${entry.hash}"`) {
    response.writeHead(304);
    response.end();
    return;
  }
  entry.document ??= Buffer.from(JSON.stringify(buildDocument(entry.resources)));
  reply.body(200, 'application/json', entry.document);
}

/** `api/v1`, `apis/apps/v1` to what is served there. */
function index(served: readonly ServedResource[]): Map<string, Entry> {
  const groups = new Map<string, ServedResource[]>();
  for (const resource of served) {
    const { group } = resource.definition;
    const name = `${group === '' ? 'api' : 'apis'}/${apiVersionOf({ group, version: resource.version })}`;
    groups.set(name, [...(groups.get(name) ?? []), resource]);
  }
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(sorted.map(([name, resources]) => [name, { resources, hash: hashOf(name, resources) }]));
}

/** Over everything a document is made of, which is much cheaper than over the document. */
function hashOf(name: string, resources: readonly ServedResource[]): string {
  const digest = createHash('sha512').update(`${SERVER_VERSION.gitVersion} ${schemaStamp()} ${name}`);
  for (const { definition, kind, schema, custom } of resources) {
    digest.update(
      JSON.stringify([
        kind,
        definition.resource,
        definition.verbs,
        definition.subresources,
        definition.namespaced,
      ]),
    );
    if (custom) digest.update(JSON.stringify(schema ?? null));
  }
  return digest.digest('hex').toUpperCase();
}
