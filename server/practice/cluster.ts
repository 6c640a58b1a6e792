// Puts a practice cluster together: store, registry, wire, controllers and nodes. Knows which part needs which, and the
// order in which they start and stop.

import type { ApiClient } from '../kube/index.ts';
import { admissionPlugins, expressionWarnings, type TypedResource } from './admission/index.ts';
import { bootstrapObjects } from './bootstrap.ts';
import { controllerAccounts } from './bootstrap-accounts.ts';
import { type RunningControllers, startControllers } from './controllers/index.ts';
import { guardedClock } from './faults.ts';
import { type ClusterNodes, createNodes, installMinikube } from './node/index.ts';
import { openNodePorts } from './node-ports.ts';
import { openNodeSocket } from './node-socket.ts';
import {
  type CreatedRegistry,
  createClient,
  createRegistry,
  createTokenKeys,
  tokenIssuer,
} from './registry/index.ts';
import type { Registry } from './registry/types.ts';
import { resources } from './resources/index.ts';
import {
  createAuthority,
  kubeconfigText,
  type RestServer,
  startRestServer,
  staticTokens,
  withMetrics,
} from './rest/index.ts';
import { certificateSigner } from './signing.ts';
import { createMemoryStore, type Store, type StoreSnapshot } from './store/index.ts';
import type { NodeOptions, PracticeCluster, PracticeOptions, PracticeSnapshot } from './types.ts';

/** What `minikube start` gives by default, rounded to what the lessons count with. */
const DEFAULT_NODES: NodeOptions[] = [{ name: 'minikube', cpus: '2', memory: '4Gi' }];
const DEFAULT_SERVICE_RANGE = '10.96.0.0/12';
/** Where pods believe the API server is: minikube's node and port. */
const API_SERVER = { ip: '192.168.49.2', port: 8443 };

/** Heartbeats and events: a cluster that only beats has not changed. */
const KEPT_BY_NOBODY = /^\/(leases\.coordination\.k8s\.io|events)\//;

const ADMINISTRATOR = { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] };

interface Snapshot {
  store: StoreSnapshot;
  nodes: unknown;
}

interface Parts {
  store: Store;
  created: CreatedRegistry;
  server: RestServer;
  controllers: RunningControllers | undefined;
  nodes: ClusterNodes | undefined;
}

export async function createPracticeCluster(options: PracticeOptions): Promise<PracticeCluster> {
  const { random } = options;
  // Without anybody to tell, a failure ends the process: tests shall see it.
  const clock = options.onFault ? guardedClock(options.clock, options.onFault) : options.clock;
  // Loads compression and V8's serializer: only when asked.
  const packing = () => import('./saved.ts');
  const saved = options.saved && (await packing()).decodeCluster(options.saved);
  const { onChange } = options;
  const store = createMemoryStore(onChange ? { onWrite: key => KEPT_BY_NOBODY.test(key) || onChange() } : {});
  if (saved) store.load(saved.store);
  const authority = options.authority ?? saved?.authority ?? createAuthority(clock);
  const tokenKeys = saved ? (await packing()).tokenKeysFrom(saved.tokenKey) : createTokenKeys();
  const serviceRange = options.serviceClusterIpRange ?? DEFAULT_SERVICE_RANGE;
  const webhooks = { network: () => parts.nodes?.network, clock };
  const created = createRegistry({
    store,
    clock,
    random,
    resources,
    admission: admissionPlugins(webhooks),
    webhooks,
    tokenKeys,
    components: () => componentHealth(options.controlPlaneOnly === true),
    ...(options.authorization ? { authorization: options.authorization } : {}),
  });
  const parts: Partial<Parts> = { store, created };
  const facts = { now: clock.now(), random, serviceRange, apiServer: API_SERVER, caCert: authority.caCert };
  if (!saved) {
    for (const object of bootstrapObjects(facts)) created.seed(object);
    if (!options.controlPlaneOnly) for (const account of controllerAccounts()) created.seed(account);
  }

  const nodes = options.controlPlaneOnly
    ? undefined
    : createNodes({
        nodes: options.nodes ?? DEFAULT_NODES,
        clock,
        random,
        // Programs are bound by the rights of their service accounts; kubelets are authorized by upstream's node authorizer.
        clientFor: user =>
          created.clientFor(user, {
            authorize: user.name.startsWith('system:serviceaccount:'),
            ...managerOf(user.name),
          }),
        dialApiServer: async () => server.connect(),
        networkPolicy: options.networkPolicy === true,
        ...(options.pullLimit ? { pullLimit: options.pullLimit } : {}),
        ...(options.onFault ? { onFault: options.onFault } : {}),
      });
  if (nodes) parts.nodes = nodes;

  // What the metrics API says is a matter of nodes, and controllers ask for it as the wire does.
  const registry = nodes ? await withMetrics(created.registry, () => nodes.usage(), clock) : created.registry;
  const server = await startRestServer({
    registry,
    clock,
    authority,
    issuer: tokenIssuer(tokenKeys),
    tokens: [
      ...(options.tokenAuthFile === undefined ? [] : [staticTokens(options.tokenAuthFile)]),
      created.authenticateToken,
    ],
    ...(nodes ? { kubelet: nodes.kubelet, network: nodes.network } : {}),
    listen: options.listen,
  });
  const controllers = nodes
    ? startControllers({
        clientFor: (user, clientOptions) =>
          createClient(registry, user, { ...clientOptions, authorize: false }),
        clock,
        random,
        rootCa: authority.caCert,
        sign: certificateSigner(authority, clock),
        policyWarnings: policy => expressionWarnings(policy, kindsServed(registry)),
        onError: (controller, key, error) => options.onFault?.(`controller ${controller} on ${key}`, error),
      })
    : undefined;
  const client: ApiClient = createClient(registry, ADMINISTRATOR, {
    authorize: false,
    fieldManager: 'minikube',
  });
  if (nodes) {
    await controllers?.idle();
    if (saved) await nodes.restore(saved.nodes);
    await nodes.start();
    if (!saved) await installMinikube(client, authority.caCert);
  }
  const nodePorts =
    nodes && options.openNodePorts
      ? openNodePorts({
          client,
          network: nodes.network,
          nodeAddress: API_SERVER.ip,
          onTaken: (port, error) => options.onFault?.(`node port ${port}`, error),
        })
      : undefined;
  const { nodeSocketPath } = options.listen;
  const nodeSocket =
    nodes && nodeSocketPath !== undefined
      ? await openNodeSocket({
          path: nodeSocketPath,
          network: nodes.network,
          nodeAddress: API_SERVER.ip,
        })
      : undefined;

  return {
    ...(server.port === undefined ? {} : { port: server.port }),
    credentials: {
      caCert: authority.caCert,
      clientCert: authority.client.cert,
      clientKey: authority.client.key,
    },
    client,
    kubeconfig: url =>
      kubeconfigText({
        server: url,
        caCert: authority.caCert,
        clientCert: authority.client.cert,
        clientKey: authority.client.key,
      }),
    async snapshot(): Promise<PracticeSnapshot> {
      return { store: store.snapshot(), nodes: nodes?.snapshot() } satisfies Snapshot;
    },
    async restore(snapshot) {
      const { store: moment, nodes: extra } = snapshot as Snapshot;
      nodes?.suspend();
      store.restore(moment);
      await nodes?.restore(extra);
    },
    savedSnapshots: (saved?.moments ?? []).map(
      moment => ({ store: store.snapshotOf(moment.store), nodes: moment.nodes }) satisfies Snapshot,
    ),
    async save(snapshots = []) {
      const { encodeCluster, tokenKeyText } = await packing();
      return encodeCluster({
        store: store.serialise(),
        nodes: nodes?.snapshot(),
        moments: (snapshots as Snapshot[]).map(moment => ({
          store: store.serialise(moment.store),
          nodes: moment.nodes,
        })),
        authority,
        tokenKey: tokenKeyText(tokenKeys),
      });
    },
    async close() {
      nodePorts?.stop();
      await nodeSocket?.close();
      await server.close();
      await controllers?.stop();
      await nodes?.stop();
      created.stop();
    },
  };
}

/** Asked on the ports where upstream's programs tell their health; nobody answers there on a bare control plane. */
function componentHealth(bare: boolean): { name: string; problem?: string }[] {
  const asked = (name: string, port: number) =>
    bare
      ? {
          name,
          problem: `Get "https://127.0.0.1:${port}/healthz": dial tcp 127.0.0.1:${port}: connect: connection refused`,
        }
      : { name };
  return [asked('scheduler', 10259), asked('controller-manager', 10257), { name: 'etcd-0' }];
}

/** What admission policies may be for, custom kinds included. */
function kindsServed(registry: Registry): TypedResource[] {
  return registry.served().map(({ kind, definition: { resource }, schema }) => ({ kind, resource, schema }));
}

/** How upstream's programs sign their writes. */
function managerOf(user: string): { fieldManager?: string } {
  if (user.startsWith('system:node:')) return { fieldManager: 'kubelet' };
  return {};
}
