// Objects as rows (meta.k8s.io Table) and as bare metadata. Knows columns only through a kind's definition.

import type { KubeObject } from '../../kube/index.ts';
import type { ListResult, ServedResource } from '../registry/types.ts';
import type { Accepted } from './negotiate.ts';

/** What `kubectl explain metadata.name` says, which upstream repeats in every Name column. */
const NAME_DESCRIPTION =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names';

export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface FormOptions {
  /** Milliseconds since the epoch, for ages. */
  now: number;
  includeObject: IncludeObject;
}

const metaVersion = (accepted: Accepted) => `meta.k8s.io/${accepted.asVersion ?? 'v1'}`;

/** One object, or a watch event's object, in the accepted form. */
export function formOf(
  object: KubeObject,
  served: ServedResource,
  accepted: Accepted,
  options: FormOptions,
): unknown {
  if (accepted.as === 'Table') {
    return table([object], served, accepted, options, {
      resourceVersion: object.metadata?.resourceVersion ?? '',
    });
  }
  return accepted.as ? partial(object, accepted) : object;
}

/** A list in the accepted form. Items of built-in lists carry neither kind nor apiVersion, as upstream's typed lists. */
export function listFormOf(
  list: ListResult,
  served: ServedResource,
  accepted: Accepted,
  options: FormOptions,
): unknown {
  if (accepted.as === 'Table') return table(list.items, served, accepted, options, list.metadata);
  if (accepted.as) {
    return {
      kind: 'PartialObjectMetadataList',
      apiVersion: metaVersion(accepted),
      metadata: list.metadata,
      items: list.items.map(item => partial(item, accepted)),
    };
  }
  return {
    kind: list.kind,
    apiVersion: list.apiVersion,
    metadata: list.metadata,
    items: served.custom ? list.items : list.items.map(withoutType),
  };
}

function withoutType(object: KubeObject): unknown {
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = object;
  return rest;
}

function partial(object: KubeObject, accepted: Accepted): unknown {
  return { kind: 'PartialObjectMetadata', apiVersion: metaVersion(accepted), metadata: object.metadata };
}

function table(
  items: readonly KubeObject[],
  served: ServedResource,
  accepted: Accepted,
  options: FormOptions,
  metadata: unknown,
): unknown {
  const { definition } = served;
  return {
    kind: 'Table',
    apiVersion: metaVersion(accepted),
    metadata,
    columnDefinitions: columnDefinitions(served),
    rows: (definition.tableOrder ? items.toSorted(definition.tableOrder) : items).map(item => {
      const conditions = definition.rowConditions?.(item);
      return {
        cells: definition.row(item, { now: options.now }),
        ...(conditions?.length ? { conditions } : {}),
        ...(options.includeObject === 'None'
          ? {}
          : {
              object:
                options.includeObject === 'Object'
                  ? item
                  : partial(item, { type: 'json', asVersion: accepted.asVersion }),
            }),
      };
    }),
  };
}

function columnDefinitions(served: ServedResource): unknown[] {
  return served.definition.columns.map(column => ({
    name: column.name,
    type: column.type,
    format: column.format ?? (column.name === 'Name' ? 'name' : ''),
    description: column.description ?? (column.name === 'Name' ? NAME_DESCRIPTION : ''),
    priority: column.priority ?? 0,
  }));
}
