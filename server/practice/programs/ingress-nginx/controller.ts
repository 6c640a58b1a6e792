// ingress-nginx's controller: makes a configuration of the Ingresses of its class, hands it to its nginx, and writes into
// their status where it can be reached. Decides by what the API tells its own account.

import { isDeepStrictEqual } from 'node:util';
import { type KubeObject, type ObjectKey, StatusError } from '../../../kube/index.ts';
import { flagOf, switchedOn } from '../flags.ts';
import { portsOf } from '../general.ts';
import { errorStamp } from '../nginx-stamps.ts';
import {
  type Controller,
  createQueue,
  type Habits,
  type Operator,
  runOperator,
  watched,
  wordsOf,
} from '../operator/index.ts';
import { exitOf } from '../signals.ts';
import type { Container, HttpResponse, Program } from '../types.ts';
import { type ClassRules, classOf } from './classes.ts';
import { endpointsOf } from './endpoints.ts';
import { logLine, structured } from './log.ts';
import { Nginx } from './proxy.ts';
import { type Configuration, checkPaths, configurationOf } from './routes.ts';
import { addressesOf, INGRESS, publish, type StatusOptions, withdraw } from './status.ts';

const CLASS = watched('networking.k8s.io/v1', 'IngressClass', 'ingressclasses');
const SERVICE = watched('v1', 'Service');
const SLICE = watched('discovery.k8s.io/v1', 'EndpointSlice');
const POD = watched('v1', 'Pod');

const IMAGE = 'registry.k8s.io/ingress-nginx/controller';
const ENTRYPOINT = ['/usr/bin/dumb-init', '--'];
const BINARY = '/nginx-ingress-controller';
const HEALTH_PORT = 10_254;
const START_MS = 400;
/** Once its copies are there it waits so long, for Ingresses need what the others hold. */
const SETTLE_MS = 1_000;
/** At most one configuration in so long (`--sync-rate-limit=0.3`). */
const SYNC_MS = 3_300;
/** `--status-update-interval`, in seconds. */
const STATUS_SECONDS = 60;
/** After nginx has stopped the controller stays a while, for those who still send (`--post-shutdown-grace-period`). */
const LAST_MS = 10_000;
const FATAL = 255;
const RULE = '-'.repeat(79);
/** The key of its queue that means everything, not one Ingress. */
const ALL: ObjectKey = { name: 'initial-sync' };
/** What Go prints of the object that stands for a look at all statuses. */
const STATUS_KEY =
  '&ObjectMeta{Name:sync status,GenerateName:,Namespace:,SelfLink:,UID:,ResourceVersion:,Generation:0,CreationTimestamp:0001-01-01 00:00:00 +0000 UTC,DeletionTimestamp:<nil>,DeletionGracePeriodSeconds:nil,Labels:map[string]string{},Annotations:map[string]string{},OwnerReferences:[]OwnerReference{},Finalizers:[],ManagedFields:[]ManagedFieldsEntry{},}';

/** The value of `--name=value`; `true` for a bare `--name`. */
class IngressController {
  private readonly container: Container;
  private readonly nginx: Nginx;
  private readonly classes: ClassRules;
  private readonly status: StatusOptions;
  private operator: Operator | undefined;
  /** What was seen of each Ingress, and whether it is one of its own. */
  private readonly seen = new Map<string, { version: string; own: boolean }>();
  private config: Configuration | undefined;
  private changed = true;
  private nextSync = 0;

  constructor(container: Container, ignoreClasses: boolean) {
    this.container = container;
    this.nginx = new Nginx(container);
    this.classes = {
      controller: flagOf(container, 'controller-class') ?? 'k8s.io/ingress-nginx',
      annotation: flagOf(container, 'ingress-class') ?? 'nginx',
      withoutClass: switchedOn(container, 'watch-ingress-without-class'),
      ignoreClasses,
    };
    const service = flagOf(container, 'publish-service');
    const addresses = flagOf(container, 'publish-status-address');
    this.status = {
      ...(service && { service }),
      ...(addresses && { addresses }),
      internalOnly: switchedOn(container, 'report-node-internal-ip-address'),
    };
  }

  /** As Kubernetes' health library words it. */
  health(): HttpResponse {
    const headers = { 'Content-Type': 'text/plain; charset=utf-8' };
    if (this.nginx.running) return { status: 200, headers, body: 'ok' };
    const body = '[+]ping ok\n[-]nginx-ingress-controller failed: reason withheld\nhealthz check failed\n';
    return { status: 500, headers, body };
  }

  async run(): Promise<number> {
    const { container } = this;
    const { api, clock, signal } = container;
    const looks = createQueue({
      clock,
      work: () => this.look(),
      onError: (_key, error) =>
        logLine(
          container,
          'E',
          'queue.go:130',
          structured('requeuing', { err: wordsOf(error), key: STATUS_KEY }),
        ),
    });
    const habits: Habits = {
      started: () => {
        logLine(container, 'I', 'nginx.go:319', structured('Starting NGINX process'));
        void clock.sleep(SETTLE_MS, signal).then(() => {
          if (!signal.aborted) looks.add('status');
        });
      },
      failed: (_controller, key, error) =>
        logLine(
          container,
          'E',
          'queue.go:130',
          structured('requeuing', { err: wordsOf(error), key: `${key.namespace}/${key.name}` }),
        ),
    };
    const code = await runOperator(container, {
      component: 'nginx-ingress-controller',
      habits,
      controllers: [this.controller()],
      ownPorts: portsOf(container),
    });
    looks.stop();
    if (signal.reason !== 'SIGTERM' || !api) return code;
    logLine(container, 'I', 'sigterm.go:36', structured('Received SIGTERM, shutting down'));
    logLine(container, 'I', 'nginx.go:379', structured('Shutting down controller queues'));
    if (this.operator) await withdraw(container, api, this.own(), this.status);
    logLine(container, 'I', 'nginx.go:395', structured('Stopping NGINX process'));
    container.logError(`${errorStamp(container)} [notice] 345#345: signal process started`);
    await clock.sleep(1_000, container.killed);
    logLine(container, 'I', 'nginx.go:408', structured('NGINX process has stopped'));
    const delay = `Handled quit, delaying controller exit for ${LAST_MS / 1000} seconds`;
    logLine(container, 'I', 'sigterm.go:44', delay);
    await clock.sleep(LAST_MS, container.killed);
    if (!container.killed.aborted)
      logLine(container, 'I', 'sigterm.go:47', structured('Exiting', { code: 0 }));
    return code;
  }

  private controller(): Controller {
    const all = (kind: typeof SERVICE) => ({
      kind,
      keys: () => {
        this.changed = true;
        return [ALL];
      },
    });
    return {
      name: 'ingress',
      for: INGRESS,
      watches: [...(this.classes.ignoreClasses ? [] : [all(CLASS)]), all(SERVICE), all(SLICE)],
      reconcile: async (key, operator) => {
        this.operator = operator;
        if (key.namespace) this.hear(key, operator);
        return this.sync(operator);
      },
    };
  }

  /** Tells of one Ingress what is new about it. */
  private hear(key: ObjectKey, operator: Operator): void {
    const { container } = this;
    const id = `${key.namespace}/${key.name}`;
    const ingress = operator.get(INGRESS, key);
    if (!ingress) {
      if (this.seen.delete(id)) this.changed = true;
      return;
    }
    const version = ingress.metadata.resourceVersion ?? '';
    const before = this.seen.get(id);
    if (before?.version === version) return;
    this.changed = true;
    const found = classOf(ingress, this.classes.ignoreClasses ? [] : operator.list(CLASS), this.classes);
    this.seen.set(id, { version, own: 'name' in found });
    if ('error' in found) {
      if (before?.own)
        logLine(container, 'I', 'store.go:485', structured('removing ingress', { ingress: id }));
      else {
        const about = { ingress: id, error: found.error };
        const text = structured('Ignoring ingress because of error while validating ingress class', about);
        logLine(container, 'I', 'store.go:439', text);
      }
      return;
    }
    const about = { ingress: id, ingressclass: found.name };
    if (!before) logLine(container, 'I', 'store.go:443', structured('Found valid IngressClass', about));
    else if (!before.own) logLine(container, 'I', 'store.go:475', structured('creating ingress', about));
    this.record(operator, ingress, 'Normal', 'Sync', 'Scheduled for sync');
  }

  /** An event, and the line client-go writes about it. */
  private record(
    operator: Operator,
    object: KubeObject,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
  ) {
    operator.events.record(object, type, reason, message);
    const { apiVersion, kind, metadata } = object;
    const fields = {
      Kind: kind,
      Namespace: metadata.namespace,
      Name: metadata.name,
      UID: metadata.uid,
      APIVersion: apiVersion,
      ResourceVersion: metadata.resourceVersion,
      FieldPath: '',
    };
    const shown = Object.entries(fields).map(([name, value]) => `${name}:${JSON.stringify(value ?? '')}`);
    logLine(
      this.container,
      'I',
      'event.go:377',
      `Event(v1.ObjectReference{${shown.join(', ')}}): type: '${type}' reason: '${reason}' ${message}`,
    );
  }

  private own(): KubeObject[] {
    return (this.operator?.list(INGRESS) ?? []).filter(
      ({ metadata: { namespace, name } }) => this.seen.get(`${namespace}/${name}`)?.own,
    );
  }

  /** Brings nginx up to date, or says in how many milliseconds it may. */
  private async sync(operator: Operator): Promise<number | undefined> {
    const { container } = this;
    const { clock } = container;
    if (!this.changed) return undefined;
    const wait = this.nextSync - clock.now();
    if (wait > 0) return wait;
    this.changed = false;
    this.nextSync = clock.now() + SYNC_MS;
    const config = configurationOf(this.own());
    const slices = operator.list(SLICE);
    const endpoints = new Map(
      config.upstreams.map(upstream => {
        const { namespace, service: name } = upstream;
        const found = endpointsOf(upstream, operator.get(SERVICE, { namespace, name }), slices);
        if (found.warning) logLine(container, 'W', found.warning.place, found.warning.text);
        return [upstream.name, found.endpoints] as const;
      }),
    );
    const first = this.config === undefined;
    if (!isDeepStrictEqual(config, this.config)) {
      const changes = structured('Configuration changes detected, backend reload required');
      logLine(container, 'I', 'controller.go:217', changes);
      if (!this.reload(config, operator)) return undefined;
      if (first)
        logLine(container, 'I', 'controller.go:243', structured('Initial sync, sleeping for 1 second'));
      const why = 'NGINX reload triggered due to a change in configuration';
      this.record(operator, container.pod, 'Normal', 'RELOAD', why);
    }
    this.nginx.balance(endpoints);
    return undefined;
  }

  private reload(config: Configuration, operator: Operator): boolean {
    const { container } = this;
    try {
      checkPaths(config);
    } catch (error) {
      const said = `\n${RULE}\nError: exit status 1\n${errorStamp(container)} [emerg] 31#31: pcre2_compile() failed: ${(error as Error).message}\nnginx: configuration file /tmp/nginx/nginx-cfg test failed\n\n${RULE}\n`;
      logLine(container, 'E', 'controller.go:223', `Unexpected failure reloading the backend:\n${said}`);
      this.record(operator, container.pod, 'Warning', 'RELOAD', `Error reloading NGINX: ${said}`);
      return false;
    }
    this.config = config;
    this.nginx.reload(config);
    logLine(container, 'I', 'controller.go:231', structured('Backend successfully reloaded'));
    return true;
  }

  /** Compares every status with the truth; comes again after the interval. */
  private async look(): Promise<number | undefined> {
    const { container } = this;
    if (!container.api) return undefined;
    const addresses = await addressesOf(container, container.api, this.status);
    await publish(container, container.api, this.own(), addresses);
    return Number(flagOf(container, 'status-update-interval') ?? STATUS_SECONDS) * 1000;
  }
}

async function run(container: Container): Promise<number> {
  const { api, clock, env, image, signal } = container;
  const version = /:(v[\d.]+)/.exec(image)?.[1] ?? 'UNKNOWN';
  container.use({ cpuMillis: 3, memoryBytes: 72 * 1024 * 1024 });
  container.log(
    `${RULE}\nNGINX Ingress controller\n  Release:       ${version}\n  Repository:    https://github.com/kubernetes/ingress-nginx\n  nginx version: nginx/1.27.1\n\n${RULE}\n`,
  );
  if (container.argv.includes('--version')) return 0;
  await clock.sleep(START_MS, signal);
  if (signal.aborted) return exitOf(container);
  logLine(
    container,
    'W',
    'client_config.go:667',
    'Neither --kubeconfig nor --master was specified.  Using the inClusterConfig.  This might not work.',
  );
  const fatal = (place: string, text: string) => {
    logLine(container, 'F', place, text);
    return FATAL;
  };
  if (!api)
    return fatal(
      'main.go:64',
      'Error while initiating a connection to the Kubernetes API server. This could mean the cluster is misconfigured (e.g. it has invalid API server certificates or Service Accounts configuration). Reason: open /var/run/secrets/kubernetes.io/serviceaccount/token: no such file or directory\nRefer to the troubleshooting guide for more information: https://kubernetes.github.io/ingress-nginx/troubleshooting/',
    );
  const host = `https://${env['KUBERNETES_SERVICE_HOST']}:${env['KUBERNETES_SERVICE_PORT']}`;
  logLine(container, 'I', 'main.go:205', structured('Creating API client', { host }));
  const certificate = { file: '/etc/ingress-controller/ssl/default-fake-certificate.pem' };
  logLine(container, 'I', 'main.go:101', structured('SSL fake certificate created', certificate));
  const refusal = await refused(() => api.list(CLASS));
  if (refusal)
    logLine(
      container,
      'W',
      'main.go:111',
      `No permissions to list and get Ingress Classes: ${refusal}, IngressClass feature will be disabled`,
    );
  const [namespace, name] = [env['POD_NAMESPACE'], env['POD_NAME']];
  const noPod = !(namespace && name)
    ? 'unable to get POD information (missing POD_NAME or POD_NAMESPACE environment variable'
    : await refused(() => api.get(POD, { namespace, name }));
  if (noPod) return fatal('main.go:120', `Unexpected error obtaining ingress-nginx pod: ${noPod}`);
  const controller = new IngressController(container, refusal !== undefined);
  container.serveHttp(HEALTH_PORT, ({ path }) =>
    path.startsWith('/healthz') ? controller.health() : { status: 404, body: '404 page not found\n' },
  );
  logLine(container, 'I', 'nginx.go:273', structured('Starting NGINX Ingress controller'));
  return controller.run();
}

/** Why a request was refused; undefined when it was not. */
async function refused(ask: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await ask();
    return undefined;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return error.message;
  }
}

export const controller: Program = {
  image: IMAGE,
  config: { entrypoint: ENTRYPOINT, cmd: [BINARY], user: '101' },
  run,
};
