// The registry's REST interface, v1alpha3: models, their versions, and artifacts. Knows the tables, no connection and no life.

import type { HttpRequest, HttpResponse } from '../types.ts';
import {
  ARTIFACTS,
  docArtifact,
  type Entity,
  fieldsOf,
  type Kind,
  modelArtifact,
  modelVersion,
  registeredModel,
} from './kinds.ts';
import type { Tables } from './tables.ts';

export const BASE = '/api/model_registry/v1alpha3';
const PAGE_SIZE = 100;
const TEXT: Record<number, string> = {
  400: 'Bad Request',
  404: 'Not Found',
  409: 'Conflict',
  500: 'Internal Server Error',
  501: 'Not Implemented',
};
/** What the interface has and this server has not. */
const BEYOND = /^\/(serving_environments?|inference_services?|experiments?|experiment_runs?)(\/|$)/;

/** `code` picks the words of `code` in the body, which for a missing field are not those of the status. */
class Refusal extends Error {
  readonly status: number;
  readonly code: number;
  constructor(status: number, message: string, code = status) {
    super(message);
    this.status = status;
    this.code = code;
  }
}
const badRequest = (message: string) => new Refusal(400, `${message}: bad request`);
const notFound = (message: string) => new Refusal(404, `${message}: not found`);

/** Keys come in the order of the alphabet, as the server's own encoder writes them. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

const json = (status: number, value: unknown): HttpResponse => ({
  status,
  headers: { 'Content-Type': 'application/json; charset=UTF-8' },
  body: `${JSON.stringify(sorted(value))}\n`,
});
const refused = (status: number, message: string, code = status) =>
  json(status, { code: TEXT[code], message });

interface Asked {
  tables: Tables;
  query: URLSearchParams;
  body: () => Entity;
  now: number;
  random(): string;
}
type Handler = (asked: Asked, id: string) => Promise<HttpResponse>;
interface Route {
  name: string;
  method: string;
  path: RegExp;
  handle: Handler;
}

/** Answers one request; the second value is the operation's name, for the log. */
export async function answer(
  { method, path, body }: HttpRequest,
  tables: Tables,
  now: number,
  random: () => string,
): Promise<{ response: HttpResponse; name: string | undefined }> {
  const url = new URL(path, 'http://registry');
  const rest = url.pathname.startsWith(`${BASE}/`) ? url.pathname.slice(BASE.length) : '';
  const fitting = ROUTES.filter(route => route.path.test(rest));
  const route = fitting.find(one => one.method === method);
  if (!route) {
    if (BEYOND.test(rest))
      return {
        response: refused(501, 'this practice cluster has models, versions and artifacts only'),
        name: undefined,
      };
    const status = fitting.length > 0 ? 405 : 404;
    return { response: { status, body: status === 404 ? '404 page not found\n' : '' }, name: undefined };
  }
  const asked = { tables, query: url.searchParams, body: () => parsed(body), now, random };
  try {
    const response = await route.handle(asked, decodeURIComponent(route.path.exec(rest)?.[1] ?? ''));
    return { response, name: route.name };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { response: refused(error.status, error.message, error.code), name: route.name };
  }
}

function parsed(body: Uint8Array): Entity {
  const text = Buffer.from(body).toString('utf8').trim();
  if (text === '') throw new Refusal(400, 'EOF');
  try {
    const value = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
    throw new Refusal(400, `json: cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value}`);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const at = Number(/position (\d+)/.exec(String(error))?.[1] ?? text.length);
    const character = text[at];
    throw new Refusal(
      400,
      character === undefined
        ? 'unexpected EOF'
        : `invalid character '${character}' looking for beginning of ${/[{,]\s*$/.test(text.slice(0, at)) ? 'object key string' : 'value'}`,
    );
  }
}

function checkFields(kind: Kind, entity: Entity, creating: boolean): void {
  const allowed = new Set(fieldsOf(kind));
  for (const field of Object.keys(entity))
    if (!allowed.has(field) || (!creating && kind.fixed.includes(field) && field !== 'artifactType'))
      throw new Refusal(400, `json: unknown field "${field}"`);
  if (creating)
    for (const field of kind.required)
      if (entity[field] === undefined || entity[field] === '')
        throw new Refusal(422, `required field '${field}' is zero value.`, 400);
  const { state } = entity;
  if (state !== undefined && !kind.states.includes(String(state)))
    throw new Refusal(400, `invalid value '${state}' for enum`);
}

function numeric(id: string): number {
  if (!/^[+-]?\d+$/.test(id)) throw badRequest(`strconv.ParseInt: parsing "${id}": invalid syntax`);
  return Number(id);
}

async function found(tables: Tables, kind: Kind, id: string): Promise<Entity> {
  const entity = await tables.get(kind, numeric(id));
  if (!entity) throw notFound(`no ${kind.words} found for id ${id}`);
  return entity;
}

async function created(
  asked: Asked,
  kind: Kind,
  entity: Entity,
  owner?: string,
  more: Entity = {},
): Promise<HttpResponse> {
  const { tables, now } = asked;
  const name = String(entity['name'] ?? asked.random());
  const stored = kind === registeredModel ? name : `${owner ?? asked.random()}:${name}`;
  if (await tables.taken(kind, stored))
    throw new Refusal(409, `${kind.words} with name ${name} already exists: conflict`);
  const whole = { state: kind.state, ...entity, ...more };
  const id = await tables.create(kind, whole, stored, now, owner === undefined ? undefined : Number(owner));
  return json(201, shown(kind, (await tables.get(kind, id))!));
}

async function patched(asked: Asked, kind: Kind, id: string): Promise<HttpResponse> {
  const change = asked.body();
  const before = await found(asked.tables, kind, id);
  checkFields(kind, change, false);
  await asked.tables.update(kind, Number(id), { ...before, ...change }, asked.now);
  return json(200, shown(kind, await found(asked.tables, kind, id)));
}

const shown = (kind: Kind, entity: Entity): Entity =>
  kind === modelArtifact
    ? { ...entity, artifactType: 'model-artifact' }
    : kind === docArtifact
      ? { ...entity, artifactType: 'doc-artifact' }
      : entity;

const ORDERS: Record<string, string> = {
  ID: 'id',
  CREATE_TIME: 'createTimeSinceEpoch',
  LAST_UPDATE_TIME: 'lastUpdateTimeSinceEpoch',
};

/** One page of a list, in the order asked for. */
function page(query: URLSearchParams, all: Entity[]): HttpResponse {
  if (query.get('filterQuery'))
    throw new Refusal(501, 'filterQuery is not supported in this practice cluster');
  const sizeText = query.get('pageSize') ?? '';
  if (sizeText !== '' && !/^\d+$/.test(sizeText))
    throw badRequest(`strconv.ParseInt: parsing "${sizeText}": invalid syntax`);
  const pageSize = Number(sizeText) || PAGE_SIZE;
  const field = ORDERS[query.get('orderBy') ?? 'ID'];
  if (!field) throw badRequest(`unsupported order by field: ${query.get('orderBy')}`);
  const way = query.get('sortOrder')?.toUpperCase() === 'DESC' ? -1 : 1;
  const key = (entity: Entity) => [Number(entity[field]), Number(entity['id'])] as const;
  const order = (a: readonly [number, number], b: readonly [number, number]) =>
    (a[0] - b[0] || a[1] - b[1]) * way;
  const token = query.get('nextPageToken');
  const after = token ? cursor(token) : undefined;
  const items = all
    .filter(entity => !after || order(key(entity), after) > 0)
    .sort((a, b) => order(key(a), key(b)));
  const shownItems = items.slice(0, pageSize);
  const last = shownItems.at(-1);
  const nextPageToken =
    items.length > pageSize && last ? Buffer.from(`${last['id']}:${last[field]}`).toString('base64') : '';
  return json(200, { items: shownItems, nextPageToken, pageSize, size: shownItems.length });
}

function cursor(token: string): readonly [number, number] {
  const [, id, value] = /^(\d+):(\d+)$/.exec(Buffer.from(token, 'base64').toString('utf8')) ?? [];
  if (id === undefined) throw badRequest('invalid nextPageToken');
  return [Number(value), Number(id)];
}

async function everyArtifact(tables: Tables, kinds = Object.values(ARTIFACTS)): Promise<Entity[]> {
  const all: Entity[] = [];
  for (const kind of kinds) all.push(...(await tables.list(kind)).map(e => shown(kind, e)));
  return all;
}

/** Which kind an artifact in a request is. */
function artifactKind(entity: Entity): Kind {
  const kind = ARTIFACTS[String(entity['artifactType'])];
  if (!kind)
    throw badRequest(
      'invalid artifact type, must be either ModelArtifact, DocArtifact, DataSet, Metric, or Parameter',
    );
  return kind;
}

/** An artifact with an id is changed, one without is made. */
async function upserted(asked: Asked, entity: Entity, kind: Kind, owner?: string): Promise<HttpResponse> {
  const { id, ...rest } = entity;
  if (id === undefined) {
    checkFields(kind, rest, true);
    return created(asked, kind, rest, owner);
  }
  const before = await asked.tables.get(kind, numeric(String(id)));
  if (!before) throw badRequest(`artifact with id ${id} is not a ${kind.words}`);
  const { name: _name, artifactType: _type, ...change } = rest;
  checkFields(kind, change, false);
  await asked.tables.update(kind, Number(id), { ...before, ...change }, asked.now);
  return json(201, shown(kind, await found(asked.tables, kind, String(id))));
}

/** Exactly one, by name (below its owner, where it has one) or by external id. */
function one(query: URLSearchParams, kind: Kind, all: Entity[], ownerField?: string): HttpResponse {
  const [name, parent, external] = ['name', 'parentResourceId', 'externalId'].map(key => query.get(key));
  if (!external && (!name || (ownerField && !parent)))
    throw badRequest(
      ownerField
        ? 'invalid parameters call, supply either (versionName and registeredModelId), or externalId'
        : 'invalid parameters call, supply either name or externalId',
    );
  const fits = all.filter(
    e =>
      (!external || e['externalId'] === external) &&
      (!name || e['name'] === name) &&
      (!ownerField || !parent || e[ownerField] === parent),
  );
  const asked = ownerField
    ? `versionName=${name ?? ''}, registeredModelId=${parent ?? ''}, externalId=${external ?? ''}`
    : `name=${name ?? ''}, externalId=${external ?? ''}`;
  if (fits.length !== 1)
    throw notFound(`${fits.length > 1 ? 'multiple' : 'no'} ${kind.words}s found for ${asked}`);
  return json(200, fits[0]);
}

const route = (name: string, method: string, path: string, handle: Handler): Route => ({
  name,
  method,
  path: new RegExp(`^${path.replace('{id}', '([^/]+)')}$`),
  handle,
});

const getOne =
  (kind: Kind): Handler =>
  async ({ tables }, id) =>
    json(200, shown(kind, await found(tables, kind, id)));

const versionsOf = async (tables: Tables, id: string) =>
  (await tables.list(modelVersion)).filter(version => version['registeredModelId'] === id);

const ROUTES: readonly Route[] = [
  route('CreateRegisteredModel', 'POST', '/registered_models', async asked => {
    const entity = asked.body();
    checkFields(registeredModel, entity, true);
    return created(asked, registeredModel, entity);
  }),
  route('GetRegisteredModels', 'GET', '/registered_models', async ({ tables, query }) =>
    page(query, await tables.list(registeredModel)),
  ),
  route('GetRegisteredModel', 'GET', '/registered_models/{id}', getOne(registeredModel)),
  route('UpdateRegisteredModel', 'PATCH', '/registered_models/{id}', (asked, id) =>
    patched(asked, registeredModel, id),
  ),
  route('FindRegisteredModel', 'GET', '/registered_model', async ({ tables, query }) =>
    one(query, registeredModel, await tables.list(registeredModel)),
  ),
  route('CreateRegisteredModelVersion', 'POST', '/registered_models/{id}/versions', async (asked, id) => {
    const entity = asked.body();
    checkFields(modelVersion, entity, true);
    await found(asked.tables, registeredModel, id);
    return created(asked, modelVersion, entity, id, { registeredModelId: id });
  }),
  route(
    'GetRegisteredModelVersions',
    'GET',
    '/registered_models/{id}/versions',
    async ({ tables, query }, id) => {
      await found(tables, registeredModel, id);
      return page(query, await versionsOf(tables, id));
    },
  ),
  route('CreateModelVersion', 'POST', '/model_versions', async asked => {
    const entity = asked.body();
    checkFields(modelVersion, entity, true);
    const owner = String(entity['registeredModelId']);
    await found(asked.tables, registeredModel, owner);
    return created(asked, modelVersion, entity, owner);
  }),
  route('GetModelVersions', 'GET', '/model_versions', async ({ tables, query }) =>
    page(query, await tables.list(modelVersion)),
  ),
  route('GetModelVersion', 'GET', '/model_versions/{id}', getOne(modelVersion)),
  route('UpdateModelVersion', 'PATCH', '/model_versions/{id}', (asked, id) =>
    patched(asked, modelVersion, id),
  ),
  route('FindModelVersion', 'GET', '/model_version', async ({ tables, query }) =>
    one(query, modelVersion, await tables.list(modelVersion), 'registeredModelId'),
  ),
  route('UpsertModelVersionArtifact', 'POST', '/model_versions/{id}/artifacts', async (asked, id) => {
    const entity = asked.body();
    await found(asked.tables, modelVersion, id);
    return upserted(asked, entity, artifactKind(entity), id);
  }),
  route(
    'GetModelVersionArtifacts',
    'GET',
    '/model_versions/{id}/artifacts',
    async ({ tables, query }, id) => {
      await found(tables, modelVersion, id);
      const ids = new Set(await tables.artifactsOf(Number(id)));
      return page(
        query,
        (await everyArtifact(tables)).filter(e => ids.has(String(e['id']))),
      );
    },
  ),
  route('CreateModelArtifact', 'POST', '/model_artifacts', async asked =>
    upserted(asked, asked.body(), modelArtifact),
  ),
  route('GetModelArtifacts', 'GET', '/model_artifacts', async ({ tables, query }) =>
    page(query, await everyArtifact(tables, [modelArtifact])),
  ),
  route('GetModelArtifact', 'GET', '/model_artifacts/{id}', getOne(modelArtifact)),
  route('UpdateModelArtifact', 'PATCH', '/model_artifacts/{id}', (asked, id) =>
    patched(asked, modelArtifact, id),
  ),
  route('CreateArtifact', 'POST', '/artifacts', async asked => {
    const entity = asked.body();
    return upserted(asked, entity, artifactKind(entity));
  }),
  route('GetArtifacts', 'GET', '/artifacts', async ({ tables, query }) =>
    page(query, await everyArtifact(tables)),
  ),
  route('GetArtifact', 'GET', '/artifacts/{id}', async ({ tables }, id) => {
    const entity = (await everyArtifact(tables)).find(e => e['id'] === String(numeric(id)));
    if (!entity) throw notFound(`no artifact found for id ${id}`);
    return json(200, entity);
  }),
];
