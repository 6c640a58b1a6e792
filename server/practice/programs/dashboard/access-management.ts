// Kubeflow's access management (kfam): tells the dashboard which namespaces somebody may use, read from RoleBindings under its own
// account. Only the reading half; knows no pages.

import { type KubeObject, StatusError } from '../../../kube/index.ts';
import { logrus } from '../operator/index.ts';
import { exitOf, untilAborted } from '../signals.ts';
import type { Container, HttpRequest, HttpResponse, Program } from '../types.ts';

const BINDINGS = { group: 'rbac.authorization.k8s.io', version: 'v1', resource: 'rolebindings' };
const PORT = 8081;
const START_MS = 200;
/** Kubeflow's roles by the names the API gives them. */
const ROLES: Record<string, string> = {
  'kubeflow-admin': 'admin',
  'kubeflow-edit': 'edit',
  'kubeflow-view': 'view',
};

/** Bindings that were made for people carry who and what as annotations. */
function bindingOf(object: KubeObject) {
  const { user, role } = object.metadata.annotations ?? {};
  const subject = object['subjects']?.[0];
  if (!user || !role || !subject) return [];
  return [
    {
      user: { kind: subject.kind, name: user },
      referredNamespace: object.metadata.namespace,
      roleRef: { apiGroup: '', kind: 'ClusterRole', name: ROLES[object['roleRef'].name] ?? role },
    },
  ];
}

async function answer(container: Container, request: HttpRequest): Promise<HttpResponse> {
  const [path = '', search = ''] = request.path.split(/\?(.*)/s);
  const query = new URLSearchParams(search);
  const json = (value: unknown): HttpResponse => ({
    status: 200,
    headers: { 'Content-Type': 'application/json; charset=UTF-8' },
    body: `${JSON.stringify(value)}\n`,
  });
  if (request.method === 'GET' && path === '/kfam/') return { status: 200, body: 'Hello World!' };
  if (path === '/metrics') return { status: 200, headers: { 'Content-Type': 'text/plain' }, body: '' };
  if (request.method === 'GET' && path === '/kfam/v1/role/clusteradmin') {
    const admins = container.env['ADMIN']?.split(',') ?? [];
    return json(admins.includes(query.get('user') ?? ''));
  }
  if (request.method !== 'GET' || path !== '/kfam/v1/bindings')
    return { status: 404, headers: { 'Content-Type': 'text/plain' }, body: '404 page not found\n' };
  const [user, namespace, role] = ['user', 'namespace', 'role'].map(name => query.get(name));
  try {
    const { items } = await container.api!.list(BINDINGS, namespace ? { namespace } : {});
    const bindings = items
      .flatMap(bindingOf)
      .filter(one => (!user || one.user.name === user) && (!role || one.roleRef.name === role));
    return json({ bindings });
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return { status: 403, headers: { 'Content-Type': 'text/plain' }, body: error.message };
  }
}

export const accessManagement: Program = {
  image: 'ghcr.io/kubeflow/dashboard/access-management',
  config: { entrypoint: ['/access-management'] },
  async run(container) {
    container.use({ cpuMillis: 1, memoryBytes: 22 * 1024 * 1024 });
    await container.clock.sleep(START_MS, container.signal);
    if (!container.api) {
      container.logError(logrus(container, 'fatal', 'unable to load in-cluster configuration'));
      return 1;
    }
    container.serveHttp(PORT, request => answer(container, request));
    container.logError(logrus(container, 'info', 'Server started'));
    await untilAborted(container.signal);
    return exitOf(container);
  },
};
