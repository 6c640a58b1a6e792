// The lists of Kubeflow Pipelines' API server in multi-user mode: who asks, whether Kubernetes lets them, and what the tables
// hold. It only reads; whatever would start or change something is refused.

import { StatusError } from '../../kube/index.ts';
import { pipelineRows } from './pipeline-tables.ts';
import type { Container, HttpRequest, HttpResponse } from './types.ts';

const REVIEWS = { group: 'authorization.k8s.io', version: 'v1', resource: 'subjectaccessreviews' };
/** Codes of gRPC with the status they travel as. */
const HTTP: Record<number, number> = { 3: 400, 7: 403, 12: 501, 13: 500, 16: 401 };

type Row = Record<string, string | null>;

const json = (value: unknown, status = 200): HttpResponse => ({
  status,
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(value),
});
const failed = (code: number, message: string) => json({ code, message, details: [] }, HTTP[code]);
const time = (seconds: string | null | undefined) =>
  `${new Date(Number(seconds ?? 0) * 1000).toISOString().slice(0, 19)}Z`;

/** What can be listed: the table it lies in, and a row as JSON shows it. */
const LISTS: Record<string, { table: string; shown(row: Row): object }> = {
  experiments: {
    table: 'experiments',
    shown: row => ({
      experiment_id: row['UUID'],
      display_name: row['Name'],
      created_at: time(row['CreatedAtInSec']),
      namespace: row['Namespace'],
      storage_state: row['StorageState'],
    }),
  },
  pipelines: {
    table: 'pipelines',
    shown: row => ({
      pipeline_id: row['UUID'],
      display_name: row['Name'],
      created_at: time(row['CreatedAtInSec']),
      namespace: row['Namespace'],
    }),
  },
  runs: {
    table: 'run_details',
    shown: row => ({
      experiment_id: row['ExperimentUUID'],
      run_id: row['UUID'],
      display_name: row['DisplayName'],
      created_at: time(row['CreatedAtInSec']),
      finished_at: time(row['FinishedAtInSec']),
      state: row['State'],
    }),
  },
};

/** Answers a request below `/apis/`. */
export async function answerPipelines(
  request: HttpRequest,
  container: Container,
  database: { host: string; port: number },
): Promise<HttpResponse> {
  const user = request.headers['kubeflow-userid'];
  if (!user) return failed(16, 'Failed to authorize: User identity is empty in the request header.');
  const url = new URL(request.path, 'http://ml-pipeline');
  const name = /^\/apis\/v2beta1\/(\w+)$/.exec(url.pathname)?.[1] ?? '';
  const list = LISTS[name];
  if (!list || request.method !== 'GET')
    return failed(12, 'this practice cluster lists runs, experiments and pipelines of a namespace, no more');
  const namespace = url.searchParams.get('namespace') ?? '';
  if (!namespace) return failed(3, `Invalid input error: ${name} in multi-user mode are listed by namespace`);
  const refused = await review(container, user, namespace, name);
  if (refused) return refused;
  try {
    const rows = (await pipelineRows(container, database, list.table, namespace)).map(list.shown);
    // Fields that hold nothing are left out.
    return json(rows.length > 0 ? { [name]: rows, total_size: rows.length } : {});
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return failed(13, `Failed to list ${name}: InternalServerError: ${why}`);
  }
}

/** Asks Kubernetes under the server's own account; undefined when the user may. */
async function review(
  { api }: Container,
  user: string,
  namespace: string,
  resource: string,
): Promise<HttpResponse | undefined> {
  const attributes = {
    namespace,
    verb: 'list',
    group: 'pipelines.kubeflow.org',
    version: 'v1beta1',
    resource,
  };
  const asked = `(request: &ResourceAttributes{Namespace:${namespace},Verb:list,Group:${attributes.group},Version:${attributes.version},Resource:${resource},Subresource:,Name:,})`;
  const start = `Failed to list ${resource}: Failed to authorize with API`;
  try {
    const answer = await api?.create(REVIEWS, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      metadata: { name: '' },
      spec: { user, resourceAttributes: attributes },
    });
    if (answer?.['status']?.allowed) return undefined;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return failed(
      13,
      `${start}: InternalServerError: Failed to create SubjectAccessReview for user '${user}' ${asked}: ${error.message}`,
    );
  }
  return failed(
    7,
    `${start}: PermissionDenied: User '${user}' is not authorized with reason:  ${asked}: Unauthorized access`,
  );
}
