// The kinds that the registry keeps: which fields each has, and where each field lies in the tables. Knows no SQL and no HTTP.

/** A value as JSON shows it. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type Entity = Record<string, Json>;

export interface Kind {
  /** In messages: `registered model`. */
  words: string;
  /** As the tables of types name it. */
  type: string;
  /** Rows of contexts and rows of artifacts have ids of their own. */
  table: 'Context' | 'Artifact';
  /** Field to name of the property that keeps it. */
  properties: Record<string, string>;
  /** Fields that a later PATCH leaves as they are. */
  fixed: string[];
  /** What a new one must have. */
  required: string[];
  states: readonly string[];
  state: string;
}

const describing = { description: 'description' };
const LIVE = ['LIVE', 'ARCHIVED'];
/** In the order of the numbers that the column `state` holds. */
export const ARTIFACT_STATES = [
  'UNKNOWN',
  'PENDING',
  'LIVE',
  'MARKED_FOR_DELETION',
  'DELETED',
  'ABANDONED',
  'REFERENCE',
];

export const registeredModel: Kind = {
  words: 'registered model',
  type: 'kf.RegisteredModel',
  table: 'Context',
  properties: {
    ...describing,
    owner: 'owner',
    state: 'state',
    readme: 'readme',
    maturity: 'maturity',
    language: 'language',
    tasks: 'tasks',
    provider: 'provider',
    logo: 'logo',
    license: 'license',
    licenseLink: 'license_link',
    libraryName: 'library_name',
  },
  fixed: ['name'],
  required: ['name'],
  states: LIVE,
  state: 'LIVE',
};

export const modelVersion: Kind = {
  words: 'model version',
  type: 'kf.ModelVersion',
  table: 'Context',
  properties: { ...describing, author: 'author', state: 'state', registeredModelId: 'registered_model_id' },
  fixed: ['name', 'registeredModelId'],
  required: ['name', 'registeredModelId'],
  states: LIVE,
  state: 'LIVE',
};

export const modelArtifact: Kind = {
  words: 'model artifact',
  type: 'kf.ModelArtifact',
  table: 'Artifact',
  properties: {
    ...describing,
    modelFormatName: 'model_format_name',
    modelFormatVersion: 'model_format_version',
    storageKey: 'storage_key',
    storagePath: 'storage_path',
    serviceAccountName: 'service_account_name',
    modelSourceKind: 'model_source_kind',
    modelSourceClass: 'model_source_class',
    modelSourceGroup: 'model_source_group',
    modelSourceId: 'model_source_id',
    modelSourceName: 'model_source_name',
  },
  fixed: ['name', 'artifactType'],
  required: [],
  states: ARTIFACT_STATES,
  state: 'UNKNOWN',
};

export const docArtifact: Kind = {
  ...modelArtifact,
  words: 'doc artifact',
  type: 'kf.DocArtifact',
  properties: describing,
};

/** The discriminator of artifacts. */
export const ARTIFACTS: Record<string, Kind> = {
  'model-artifact': modelArtifact,
  'doc-artifact': docArtifact,
};

/** The fields a request may have. */
export function fieldsOf(kind: Kind): string[] {
  const own = kind.table === 'Artifact' ? ['artifactType', 'uri', 'state'] : [];
  return ['name', 'externalId', 'customProperties', ...Object.keys(kind.properties), ...own];
}
