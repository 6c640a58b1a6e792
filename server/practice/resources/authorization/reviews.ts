// The four reviews of access: asked by creating one, never stored.

import { AGE, age, NAME } from '../format.ts';
import type { ResourceDefinition } from '../types.ts';

const review = (kind: string, namespaced = false): ResourceDefinition => ({
  group: 'authorization.k8s.io',
  versions: ['v1'],
  kind,
  resource: `${kind.toLowerCase()}s`,
  singular: kind.toLowerCase(),
  namespaced,
  verbs: ['create'],
  columns: [NAME, AGE],
  row: (object, context) => [object.metadata.name ?? '', age(object, context)],
});

export const localsubjectaccessreviews = review('LocalSubjectAccessReview', true);
export const selfsubjectaccessreviews = review('SelfSubjectAccessReview');
export const selfsubjectrulesreviews = review('SelfSubjectRulesReview');
export const subjectaccessreviews = review('SubjectAccessReview');
