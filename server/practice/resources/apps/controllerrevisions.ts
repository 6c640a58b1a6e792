// ControllerRevisions.

import { IMMUTABLE, invalidValue, type KubeObject, parseApiVersion } from '../../../kube/index.ts';
import { AGE, age, integer, NAME, orNone, text } from '../format.ts';
import type { ResourceDefinition } from '../types.ts';
import { nonNegative, same } from '../validation/common.ts';

/** `statefulset.apps/web`: the controller that made this revision. */
function controller(revision: KubeObject): string {
  const owner = revision.metadata.ownerReferences?.find(reference => reference.controller);
  if (!owner) return '<none>';
  const { group } = parseApiVersion(owner.apiVersion);
  return orNone(`${owner.kind.toLowerCase()}${group ? `.${group}` : ''}/${owner.name}`);
}

export const controllerrevisions: ResourceDefinition = {
  group: 'apps',
  versions: ['v1'],
  kind: 'ControllerRevision',
  resource: 'controllerrevisions',
  singular: 'controllerrevision',
  namespaced: true,
  validate: revision => nonNegative(revision.revision, 'revision'),
  validateUpdate: (revision, old) =>
    same(revision.data, old.data) ? [] : [invalidValue('data', revision.data, IMMUTABLE)],
  columns: [
    NAME,
    text('Controller', 'Controller of the object'),
    integer('Revision', 'Revision indicates the revision of the state represented by Data.'),
    AGE,
  ],
  row: (revision, context) => [
    revision.metadata.name,
    controller(revision),
    revision.revision ?? 0,
    age(revision, context),
  ],
};
