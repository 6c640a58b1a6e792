// Nothing is created in a namespace that is missing or ending, and the system's namespaces stay.

import { forbidden, notFound, StatusError } from '../../kube/index.ts';
import { refuse } from './requests.ts';
import type { AdmissionPlugin } from './types.ts';

const NAMESPACES = { group: '', resource: 'namespaces' };
const IMMORTAL = new Set(['default', 'kube-system', 'kube-public']);

export const namespaceLifecycle: AdmissionPlugin = {
  name: 'NamespaceLifecycle',
  mutate(request, context) {
    const { definition, operation, namespace } = request;
    if (operation === 'DELETE' && definition.group === '' && definition.resource === 'namespaces') {
      if (IMMORTAL.has(request.name))
        throw forbidden(NAMESPACES, request.name, 'this namespace may not be deleted');
      return;
    }
    if (operation !== 'CREATE' || !definition.namespaced || !namespace) return;
    const found = context.read(NAMESPACES, undefined, namespace);
    if (!found) throw notFound(NAMESPACES, namespace);
    if (found.status?.phase !== 'Terminating' && !found.metadata.deletionTimestamp) return;
    const { status } = refuse(
      request,
      `unable to create new content in namespace ${namespace} because it is being terminated`,
    );
    const cause = {
      reason: 'NamespaceTerminating',
      message: `namespace ${namespace} is being terminated`,
      field: 'metadata.namespace',
    };
    throw new StatusError({ ...status, details: { ...status.details, causes: [cause] } });
  },
};
