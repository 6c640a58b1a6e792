// Building stones of resource literals: the usual subresources and selector accessors. Knows no kind.

import type { GroupVersionKind } from '../../kube/index.ts';
import type { SubresourceDefinition } from './types.ts';

const READ_AND_WRITE = ['get', 'patch', 'update'] as const;

/** `status` of a kind. */
export const statusOf = (group: string, version: string, kind: string): SubresourceDefinition => ({
  name: 'status',
  kind: { group, version, kind },
  verbs: READ_AND_WRITE,
});

/** Any other subresource that reads and writes the object itself. */
export const partOf = (name: string, kind: GroupVersionKind): SubresourceDefinition => ({
  name,
  kind,
  verbs: READ_AND_WRITE,
});

export const SCALE: SubresourceDefinition = {
  name: 'scale',
  kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
  verbs: READ_AND_WRITE,
};
