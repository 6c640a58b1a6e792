// Servers that are useless without another one: they look for it first, and wait or give up in their own words. One row a
// server; knows how they start, not what they do afterwards.

import { DialError } from '../network/index.ts';
import { flagOf } from './flags.ts';
import { portsOf } from './general.ts';
import { SqlError } from './mysql/packets.ts';
import { answerPipelines } from './pipeline-rest.ts';
import { preparePipelineTables } from './pipeline-tables.ts';
import { exitOf, untilAborted } from './signals.ts';
import type { Container, HttpRequest, HttpResponse, Program } from './types.ts';

interface Dependent {
  image: string;
  /** What it looks for. */
  needs(container: Container): { host: string; port: number };
  starts(container: Container): string[];
  /** What it says about one failed attempt. */
  failed(container: Container, error: DialError | SqlError, attempt: number): string[];
  ready(container: Container): string[];
  /** What it does first once it has found it. */
  prepares?(container: Container, at: { host: string; port: number }): Promise<void>;
  retryMs: number;
  /** After so many attempts it gives up with these words and exit code 1; absent: it tries for ever. */
  givesUp?: {
    after: number;
    words(container: Container, error: DialError | SqlError): string[];
    code?: number;
  };
  /** Ports besides those that the pod declares. */
  ports?: number[];
  answer?(
    request: HttpRequest,
    container: Container,
  ): HttpResponse | undefined | Promise<HttpResponse | undefined>;
  memoryMiB: number;
}

/** glog: `I1124 07:00:00.000000       1 main.go:10] `. */
function glog(container: Container, level: string, place: string, text: string): string {
  const at = new Date(container.clock.now()).toISOString();
  const stamp = `${at.slice(5, 7)}${at.slice(8, 10)} ${at.slice(11, 23)}000`;
  return `${level}${stamp}       1 ${place}] ${text}`;
}

/** The value of `--name=value` or `--name value`. */
const short = (error: DialError | SqlError) => error.message.replace(/^dial tcp: /, 'dial tcp: ');

const metadataStore: Dependent = {
  image: 'gcr.io/tfx-oss-public/ml_metadata_store_server',
  needs: c => ({
    host: flagOf(c, 'mysql_config_host') ?? 'mysql',
    port: Number(flagOf(c, 'mysql_config_port') ?? 3306),
  }),
  starts: () => [],
  failed: c => [
    glog(
      c,
      'W',
      'mysql_metadata_source.cc:174',
      'MySQL database was not initialized. Please ensure your MySQL server is running. Also, this error might be caused by starting from MySQL 8.0, mysql_native_password used by MLMD is not supported as a default for authentication plugin. Please follow <https://dev.mysql.com/blog-archive/upgrading-to-mysql-8-0-default-authentication-plugin-considerations/>to fix this issue.',
    ),
  ],
  ready: c => [glog(c, 'I', 'metadata_store_server_main.cc:577', 'Server listening on 0.0.0.0:8080')],
  retryMs: 1_000,
  givesUp: {
    after: 5,
    words: c => [
      glog(
        c,
        'F',
        'metadata_store_server_main.cc:555',
        "Check failed: absl::OkStatus() == status (OK vs. INTERNAL: mysql_real_connect failed: errno: , error:  [mysql-error-info='']) MetadataStore cannot be created with the given connection config.",
      ),
      '*** Check failure stack trace: ***',
    ],
    code: 134,
  },
  ports: [8080],
  memoryMiB: 38,
};

const apiServer: Dependent = {
  image: 'gcr.io/ml-pipeline/api-server',
  needs: c => ({
    host: c.env['DBCONFIG_MYSQLCONFIG_HOST'] ?? c.env['DBCONFIG_HOST'] ?? 'mysql',
    port: Number(c.env['DBCONFIG_MYSQLCONFIG_PORT'] ?? c.env['DBCONFIG_PORT'] ?? 3306),
  }),
  starts: c => [
    glog(c, 'I', 'client_manager.go:170', 'Initializing client manager'),
    glog(c, 'I', 'client_manager.go:171', 'Initializing DB client...'),
  ],
  failed: () => [],
  ready: c => [
    glog(c, 'I', 'client_manager.go:182', 'DB client initialized successfully'),
    glog(c, 'I', 'main.go:106', 'Starting RPC server'),
    glog(c, 'I', 'main.go:152', 'Starting Http Proxy'),
  ],
  prepares: (c, { host, port }) => preparePipelineTables(c, host, port),
  retryMs: 3_000,
  givesUp: {
    after: 6,
    words: (c, error) => [
      glog(c, 'F', 'client_manager.go:423', `Failed to initialize the databases. Error: ${short(error)}`),
    ],
  },
  ports: [8887, 8888],
  answer: (request, c) =>
    /^\/apis\/v(1|2)beta1\/healthz/.test(request.path)
      ? json({ commit_sha: 'unknown', tag_name: '2.3.0', multi_user: true })
      : request.path.startsWith('/apis/')
        ? answerPipelines(request, c, apiServer.needs(c))
        : undefined,
  memoryMiB: 62,
};

const cacheServer: Dependent = {
  image: 'gcr.io/ml-pipeline/cache-server',
  needs: c => ({ host: flagOf(c, 'db_host') ?? 'mysql', port: Number(flagOf(c, 'db_port') ?? 3306) }),
  starts: () => ['Initing client manager....', 'Initializing DB client...'],
  failed: () => [],
  ready: () => ['Initialized client manager.', 'Table: execution_caches'],
  retryMs: 3_000,
  givesUp: {
    after: 5,
    words: (_c, error) => [`Failed to initialize the databases: ${short(error)}`],
    code: 2,
  },
  memoryMiB: 28,
};

const persistenceAgent: Dependent = {
  image: 'gcr.io/ml-pipeline/persistenceagent',
  needs: c => ({ host: flagOf(c, 'mlPipelineAPIServerName') ?? 'ml-pipeline', port: 8888 }),
  starts: c => [`time="${second(c)}" level=info msg="Initializing pipeline client"`],
  failed: () => [],
  ready: c => [
    `time="${second(c)}" level=info msg="Starting workers"`,
    `time="${second(c)}" level=info msg="Started workers"`,
  ],
  retryMs: 5_000,
  givesUp: {
    after: 12,
    words: (c, error) => [
      `time="${second(c)}" level=fatal msg="Error creating ML pipeline API Server client: Failed to initialize pipeline client. Error: Waiting for ml pipeline API server failed after all attempts.: Get http://ml-pipeline.kubeflow.svc.cluster.local:8888/apis/v1beta1/healthz: ${short(error)}"`,
    ],
  },
  memoryMiB: 24,
};

const metadataWriter: Dependent = {
  image: 'gcr.io/ml-pipeline/metadata-writer',
  needs: c => ({
    host: c.env['METADATA_GRPC_SERVICE_SERVICE_HOST'] ?? 'metadata-grpc-service',
    port: Number(c.env['METADATA_GRPC_SERVICE_SERVICE_PORT'] ?? 8080),
  }),
  starts: () => [],
  failed: (_c, error) => [
    `Failed to access the Metadata store. Exception: "failed to connect to all addresses; last error: UNKNOWN: ipv4: ${!(error instanceof DialError) ? error.message : error.reason === 'connection refused' ? 'Failed to connect to remote host: Connection refused' : error.reason}"`,
  ],
  ready: () => ['Connected to the metadata store', 'Start watching Kubernetes Pods created by Argo'],
  retryMs: 5_000,
  givesUp: { after: 10, words: () => ['RuntimeError: Could not connect to the Metadata store.'] },
  memoryMiB: 74,
};

const second = (c: Container) => `${new Date(c.clock.now()).toISOString().slice(0, 19)}Z`;
const json = (value: unknown, status = 200): HttpResponse => ({
  status,
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(value),
});

function program(of: Dependent, image = of.image): Program {
  return {
    image,
    async run(container) {
      container.use({ cpuMillis: 3, memoryBytes: of.memoryMiB * 1024 * 1024 });
      for (const line of of.starts(container)) container.logError(line);
      const { host, port } = of.needs(container);
      for (let attempt = 1; ; attempt++) {
        if (container.signal.aborted) return exitOf(container);
        try {
          const stream = await container.network.dial(host, port);
          stream.destroy();
          await of.prepares?.(container, { host, port });
          break;
        } catch (error) {
          if (!(error instanceof DialError) && !(error instanceof SqlError)) throw error;
          for (const line of of.failed(container, error, attempt)) container.logError(line);
          if (of.givesUp && attempt >= of.givesUp.after) {
            for (const line of of.givesUp.words(container, error)) container.logError(line);
            return of.givesUp.code ?? 1;
          }
        }
        await container.clock.sleep(of.retryMs, container.signal);
      }
      for (const number of new Set([...portsOf(container), ...(of.ports ?? [])]))
        container.serveHttp(
          number,
          async request => (await of.answer?.(request, container)) ?? { status: 404, body: 'Not Found' },
        );
      for (const line of of.ready(container)) container.logError(line);
      await untilAborted(container.signal);
      return exitOf(container);
    },
  };
}

export const dependents: readonly Program[] = [
  program(metadataStore),
  program(apiServer),
  program(apiServer, 'ghcr.io/kubeflow/kfp-api-server'),
  program(cacheServer),
  program(cacheServer, 'ghcr.io/kubeflow/kfp-cache-server'),
  program(persistenceAgent),
  program(persistenceAgent, 'ghcr.io/kubeflow/kfp-persistence-agent'),
  program(metadataWriter),
  program(metadataWriter, 'ghcr.io/kubeflow/kfp-metadata-writer'),
];
