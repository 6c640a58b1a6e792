// TokenReviews and SelfSubjectReviews: asked by creating one, never stored.

import { AGE, age, NAME } from '../format.ts';
import type { ResourceDefinition } from '../types.ts';

const review = (kind: string, resource: string): ResourceDefinition => ({
  group: 'authentication.k8s.io',
  versions: ['v1'],
  kind,
  resource,
  singular: kind.toLowerCase(),
  namespaced: false,
  verbs: ['create'],
  columns: [NAME, AGE],
  row: (object, context) => [object.metadata.name ?? '', age(object, context)],
});

export const selfsubjectreviews = review('SelfSubjectReview', 'selfsubjectreviews');
export const tokenreviews = review('TokenReview', 'tokenreviews');
