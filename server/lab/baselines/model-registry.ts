// The baseline `model-registry`: the registry's server and the MySQL that keeps what it knows, in the namespace kubeflow.
// Knows no lesson.

import { type KubeApi, say } from '../../check/index.ts';
import type { KubeObject } from '../../kube/index.ts';
import { create, createAll } from './create.ts';
import type { Baseline, BaselineContext } from './types.ts';

const NAMESPACE = 'kubeflow';
const DATABASE = 'model-registry-db';
const SERVER = 'model-registry-deployment';
const SERVICE = 'model-registry-service';
const ACCOUNT = 'model-registry-server';
const PARAMETERS = 'model-registry-db-parameters';
const SECRETS = 'model-registry-db-secrets';
const CLAIM = 'metadata-mysql';
const MYSQL_IMAGE = 'mysql:8.4';
const SERVER_IMAGE = 'ghcr.io/kubeflow/model-registry/server:v0.3.7';

const meta = (name: string, labels?: Record<string, string>) => ({
  namespace: NAMESPACE,
  name,
  ...(labels && { labels }),
});
const parameters = { envFrom: [{ configMapRef: { name: PARAMETERS } }, { secretRef: { name: SECRETS } }] };

function deployment(name: string, component: string, pod: object, recreate = false): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: meta(name, { component }),
    spec: {
      replicas: 1,
      ...(recreate && { strategy: { type: 'Recreate' } }),
      selector: { matchLabels: { component } },
      template: { metadata: { labels: { component } }, spec: pod },
    },
  };
}

const service = (name: string, port: { name: string; port: number }, component: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  // The dashboard finds registries by this label.
  metadata: meta(name, { component: name === SERVICE ? 'model-registry' : 'db' }),
  spec: { selector: { component }, ports: [{ ...port, protocol: 'TCP' }] },
});

const database = deployment(
  DATABASE,
  'db',
  {
    containers: [
      {
        name: 'db-container',
        image: MYSQL_IMAGE,
        args: ['--datadir', '/var/lib/mysql/datadir'],
        ...parameters,
        ports: [{ name: 'dbapi', containerPort: 3306 }],
        readinessProbe: {
          exec: {
            command: [
              '/bin/bash',
              '-c',
              `mysql -h127.0.0.1 -D $MYSQL_DATABASE -u$MYSQL_USER_NAME -p$MYSQL_ROOT_PASSWORD -e 'SELECT 1'`,
            ],
          },
          periodSeconds: 2,
          timeoutSeconds: 1,
        },
        volumeMounts: [{ name: CLAIM, mountPath: '/var/lib/mysql' }],
      },
    ],
    volumes: [{ name: CLAIM, persistentVolumeClaim: { claimName: CLAIM } }],
  },
  true,
);

const healthy = (path: string) => ({ httpGet: { path, port: 'http-api' }, timeoutSeconds: 5 });

const server = deployment(SERVER, ACCOUNT, {
  serviceAccountName: ACCOUNT,
  containers: [
    {
      name: 'rest-container',
      image: SERVER_IMAGE,
      command: ['/model-registry', 'proxy'],
      args: [
        '--hostname=0.0.0.0',
        '--port=8080',
        '--datastore-type=embedmd',
        '--embedmd-database-type=mysql',
        `--embedmd-database-dsn=$(MYSQL_USER_NAME):$(MYSQL_ROOT_PASSWORD)@tcp(${DATABASE}:$(MYSQL_PORT))/$(MYSQL_DATABASE)?charset=utf8mb4`,
      ],
      ...parameters,
      ports: [{ name: 'http-api', containerPort: 8080 }],
      // The first start waits for the database, which writes its own tables first.
      startupProbe: { ...healthy('/readyz/isDirty'), periodSeconds: 1, failureThreshold: 120 },
      livenessProbe: { ...healthy('/readyz/isDirty'), periodSeconds: 10 },
      readinessProbe: { ...healthy('/readyz/health'), periodSeconds: 1 },
    },
  ],
});

export const modelRegistry: Baseline = {
  name: 'model-registry',
  namespaces: [NAMESPACE],
  async apply(api: KubeApi, { note, signal }: BaselineContext) {
    note(say('正在安裝 Model Registry。', 'Installing Model Registry.'));
    await create(api, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: NAMESPACE, labels: { 'control-plane': 'kubeflow' } },
    });
    const needed: KubeObject[] = [
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta(ACCOUNT) },
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: meta(PARAMETERS),
        data: { MYSQL_DATABASE: 'metadb', MYSQL_PORT: '3306', MYSQL_USER_NAME: 'root' },
      },
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: meta(SECRETS),
        type: 'Opaque',
        stringData: { MYSQL_ROOT_PASSWORD: 'test' },
      },
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: meta(CLAIM),
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } } },
      },
      service(DATABASE, { name: 'dbapi', port: 3306 }, 'db'),
      service(SERVICE, { name: 'http-api', port: 8080 }, ACCOUNT),
    ];
    await createAll(api, needed, signal);
    await createAll(api, [database, server], signal);
  },
};
