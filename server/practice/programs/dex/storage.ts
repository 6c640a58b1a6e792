// Where Dex keeps what it must remember between requests: objects of its own kinds, which all its replicas see, or its memory.
// Knows no requests.

import { type ApiClient, type KubeObject, parseApiVersion, StatusError } from '../../../kube/index.ts';

export type DexKind = 'authrequests' | 'authcodes' | 'signingkeies';

export interface DexStorage {
  get(kind: DexKind, name: string): Promise<Record<string, any> | undefined>;
  /** False when there is one of this name already. */
  create(kind: DexKind, name: string, fields: Record<string, unknown>): Promise<boolean>;
  delete(kind: DexKind, name: string): Promise<void>;
  list(kind: DexKind): Promise<{ name: string; fields: Record<string, any> }[]>;
}

const GROUP = 'dex.coreos.com';
/** In the order in which Dex looks for them. Its plurals are its own. */
const KINDS: readonly [string, string][] = [
  ['AuthCode', 'authcodes'],
  ['AuthRequest', 'authrequests'],
  ['OAuth2Client', 'oauth2clients'],
  ['SigningKey', 'signingkeies'],
  ['RefreshToken', 'refreshtokens'],
  ['Password', 'passwords'],
  ['OfflineSessions', 'offlinesessionses'],
  ['Connector', 'connectors'],
  ['DeviceRequest', 'devicerequests'],
  ['DeviceToken', 'devicetokens'],
];
const CRDS = { ...parseApiVersion('apiextensions.k8s.io/v1'), resource: 'customresourcedefinitions' };
const resource = (plural: string) => ({ group: GROUP, version: 'v1', resource: plural });

const definition = (kind: string, plural: string): KubeObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.${GROUP}` },
  spec: {
    group: GROUP,
    names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
});

export type Say = (level: 'INFO' | 'ERROR', message: string, fields?: Record<string, unknown>) => void;

/** Creates the kinds that are not served yet; says so in Dex' words, at its levels. False when one could not be made. */
export async function registerKinds(api: ApiClient, namespace: string, say: Say): Promise<boolean> {
  let ok = true;
  for (const [kind, plural] of KINDS) {
    const object = `${plural}.${GROUP}`;
    say('INFO', 'checking if custom resource has already been created...', { object });
    try {
      await api.list(resource(plural), { namespace });
      say('INFO', 'the custom resource already available, skipping create', { object });
      continue;
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      const err = error.code === 404 ? 'not found' : error.message;
      say('INFO', 'failed to list custom resource, attempting to create', { object, err });
    }
    try {
      await api.create(CRDS, definition(kind, plural));
      say('ERROR', 'create custom resource', { object });
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      if (error.reason === 'AlreadyExists') say('INFO', 'custom resource already created', { object });
      else {
        say('ERROR', 'creating custom resource', { object, err: error.message });
        ok = false;
      }
    }
  }
  return ok;
}

/** Objects in Dex' own namespace, under its own account. */
export function kubernetesStorage(api: ApiClient, namespace: string): DexStorage {
  const kindOf = (plural: string) => KINDS.find(([, candidate]) => candidate === plural)![0];
  const fieldsOf = ({ apiVersion: _a, kind: _k, metadata: _m, ...fields }: KubeObject) => fields;
  const missing = (error: unknown) => error instanceof StatusError && error.code === 404;
  return {
    async get(kind, name) {
      try {
        return fieldsOf(await api.get(resource(kind), { namespace, name }));
      } catch (error) {
        if (missing(error)) return undefined;
        throw error;
      }
    },
    async create(kind, name, fields) {
      const object = {
        apiVersion: `${GROUP}/v1`,
        kind: kindOf(kind),
        metadata: { namespace, name },
        ...fields,
      };
      try {
        await api.create(resource(kind), object);
        return true;
      } catch (error) {
        if (error instanceof StatusError && error.reason === 'AlreadyExists') return false;
        throw error;
      }
    },
    async delete(kind, name) {
      try {
        await api.delete(resource(kind), { namespace, name });
      } catch (error) {
        if (!missing(error)) throw error;
      }
    },
    async list(kind) {
      const { items } = await api.list(resource(kind), { namespace });
      return items.map(item => ({ name: item.metadata.name, fields: fieldsOf(item) }));
    },
  };
}

export function memoryStorage(): DexStorage {
  const kept = new Map<string, Record<string, unknown>>();
  return {
    get: async (kind, name) => kept.get(`${kind}/${name}`),
    async create(kind, name, fields) {
      if (kept.has(`${kind}/${name}`)) return false;
      kept.set(`${kind}/${name}`, fields);
      return true;
    },
    async delete(kind, name) {
      kept.delete(`${kind}/${name}`);
    },
    list: async kind =>
      [...kept]
        .filter(([key]) => key.startsWith(`${kind}/`))
        .map(([key, fields]) => ({ name: key.slice(kind.length + 1), fields })),
  };
}
