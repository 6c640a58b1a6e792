// Asks containers how they are: http, tcp, exec and grpc probes with their periods and thresholds. Knows how to ask and
// how to count, not what follows from the answer.

import type { Clock, Timer } from '../../clock.ts';
import { checkHealth, DialError, type HttpAnswer, type Network, requestHttp } from '../network/index.ts';
import { goDuration } from './container-setup.ts';

export type ProbeKind = 'startup' | 'readiness' | 'liveness';

export interface ProbeOutcome {
  ok: boolean;
  /** What the event says after `Readiness probe failed: `. */
  output: string;
}

export interface ProbeTarget {
  podIP: string;
  /** The node's own address: what a probe of 127.0.0.1 reaches, since the kubelet asks from the node. */
  hostIP: string;
  namespace: string;
  /** Container port by name. */
  portNamed(name: string): number | undefined;
  /** Runs a command in the container and gives its exit code and combined output. */
  exec(command: string[], signal: AbortSignal): Promise<{ code: number; output: string }>;
}

const USER_AGENT = 'kube-probe/1.36';

const dialFrom = (host: string, target: ProbeTarget) =>
  host.startsWith('127.') ? { namespace: target.namespace, podIP: target.hostIP } : undefined;

function portOf(port: number | string, target: ProbeTarget): number | undefined {
  if (typeof port === 'number') return port;
  const named = target.portNamed(port);
  if (named !== undefined) return named;
  return /^\d+$/.test(port) ? Number(port) : undefined;
}

/** One question, answered within the probe's timeout. */
export async function ask(
  probe: any,
  target: ProbeTarget,
  network: Network,
  clock: Clock,
): Promise<ProbeOutcome> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  const abort = new AbortController();
  const timer = clock.after(timeoutMs, () => abort.abort());
  const late = new Promise<'late'>(resolve =>
    abort.signal.addEventListener('abort', () => resolve('late'), { once: true }),
  );
  try {
    if (probe.httpGet) return await askHttp(probe.httpGet, target, network, late);
    if (probe.tcpSocket) return await askTcp(probe.tcpSocket, target, network, late);
    if (probe.grpc) return await askGrpc(probe.grpc, target, network, late, timeoutMs);
    if (probe.exec) {
      const result = await Promise.race([target.exec(probe.exec.command, abort.signal), late]);
      if (result === 'late') {
        const command = probe.exec.command.join(' ');
        return { ok: false, output: `command timed out: "${command}" timed out after ${timeoutMs / 1000}s` };
      }
      return { ok: result.code === 0, output: result.output.trimEnd() };
    }
    return { ok: true, output: '' };
  } finally {
    timer.cancel();
  }
}

async function askHttp(
  get: any,
  target: ProbeTarget,
  network: Network,
  late: Promise<'late'>,
): Promise<ProbeOutcome> {
  const port = portOf(get.port, target);
  if (port === undefined) return { ok: false, output: `couldn't find port: ${get.port}` };
  const host = get.host || target.podIP;
  const scheme = (get.scheme ?? 'HTTP').toLowerCase();
  const path = (get.path ?? '/').startsWith('/') ? (get.path ?? '/') : `/${get.path}`;
  const url = `${scheme}://${host}:${port}${path}`;
  try {
    const stream = await Promise.race([network.dial(host, port, dialFrom(host, target)), late]);
    if (stream === 'late')
      return { ok: false, output: `Get "${url}": dial tcp ${host}:${port}: i/o timeout` };
    const headers: Record<string, string> = {
      Host: `${host}:${port}`,
      'User-Agent': USER_AGENT,
      Accept: '*/*',
      Connection: 'close',
    };
    for (const header of get.httpHeaders ?? []) headers[header.name] = header.value;
    const answer: HttpAnswer | 'late' = await Promise.race([requestHttp(stream, { path, headers }), late]);
    if (answer === 'late') {
      stream.destroy();
      return {
        ok: false,
        output: `Get "${url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
      };
    }
    if (answer.status >= 200 && answer.status < 400) return { ok: true, output: '' };
    return { ok: false, output: `HTTP probe failed with statuscode: ${answer.status}` };
  } catch (error) {
    return { ok: false, output: `Get "${url}": ${error instanceof Error ? error.message : String(error)}` };
  }
}

async function askTcp(
  tcp: any,
  target: ProbeTarget,
  network: Network,
  late: Promise<'late'>,
): Promise<ProbeOutcome> {
  const port = portOf(tcp.port, target);
  if (port === undefined) return { ok: false, output: `couldn't find port: ${tcp.port}` };
  const host = tcp.host || target.podIP;
  try {
    const stream = await Promise.race([network.dial(host, port, dialFrom(host, target)), late]);
    if (stream === 'late') return { ok: false, output: `dial tcp ${host}:${port}: i/o timeout` };
    stream.destroy();
    return { ok: true, output: '' };
  } catch (error) {
    return { ok: false, output: error instanceof Error ? error.message : String(error) };
  }
}

async function askGrpc(
  grpc: any,
  target: ProbeTarget,
  network: Network,
  late: Promise<'late'>,
  timeoutMs: number,
): Promise<ProbeOutcome> {
  const address = `${target.podIP}:${grpc.port}`;
  const bad = (output: string): ProbeOutcome => ({ ok: false, output });
  try {
    const stream = await Promise.race([network.dial(target.podIP, grpc.port), late]);
    if (stream !== 'late') {
      const health = await Promise.race([checkHealth(stream, grpc.service ?? '', address), late]);
      if (health === 'late') stream.destroy();
      else if ('status' in health)
        return health.status === 'SERVING'
          ? { ok: true, output: '' }
          : bad(`service unhealthy (responded with "${health.status}")`);
      else if (health.refused === 'unimplemented')
        return bad('this server does not implement the grpc health protocol (grpc.health.v1.Health)');
      else if (health.refused === 'unknown service')
        return bad('service unhealthy (responded with "SERVICE_UNKNOWN")');
    }
  } catch (error) {
    if (!(error instanceof DialError)) throw error;
  }
  // A server that speaks something else is waited for like one that is not there.
  await late;
  return bad(
    `timeout: failed to connect service "${address}" within ${goDuration(timeoutMs)}: context deadline exceeded`,
  );
}

export interface ProbeEvents {
  /** After each answer that failed. */
  failed(kind: ProbeKind, output: string): void;
  /** When a threshold was crossed: the new standing. */
  changed(kind: ProbeKind, ok: boolean): void;
}

/** Asks one container one kind of question for as long as it runs. */
export class Prober {
  private timer: Timer | undefined;
  private stopped = false;
  private successes = 0;
  private failures = 0;
  private standing: boolean | undefined;
  private held = false;
  private asking = false;
  private readonly kind: ProbeKind;
  private readonly probe: any;
  private readonly services: {
    target: ProbeTarget;
    network: Network;
    clock: Clock;
    events: ProbeEvents;
    gate: () => boolean;
  };

  constructor(
    kind: ProbeKind,
    probe: any,
    /** `gate` holds questions back (until the startup probe succeeded). */
    services: {
      target: ProbeTarget;
      network: Network;
      clock: Clock;
      events: ProbeEvents;
      gate: () => boolean;
    },
  ) {
    this.kind = kind;
    this.probe = probe;
    this.services = services;
  }

  start(): void {
    this.next((this.probe.initialDelaySeconds ?? 0) * 1000);
  }

  /** Asks now instead of at the next period (the startup probe has just succeeded). */
  kick(): void {
    if (this.asking || this.held || (this.probe.initialDelaySeconds ?? 0) > 0) return;
    this.timer?.cancel();
    this.next(0);
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }

  private next(ms: number): void {
    if (this.stopped) return;
    this.timer = this.services.clock.after(ms, () => this.round());
  }

  private async round(): Promise<void> {
    const periodMs = (this.probe.periodSeconds ?? 10) * 1000;
    const began = this.services.clock.now();
    try {
      if (!this.services.gate()) return;
      this.asking = true;
      const outcome = await ask(this.probe, this.services.target, this.services.network, this.services.clock);
      this.asking = false;
      if (!this.stopped) this.count(outcome);
    } finally {
      this.asking = false;
      // Startup probes often ask every second: dozens that have their answer would wake a cluster at rest for nothing.
      if (!this.held) this.next(Math.max(1, periodMs - (this.services.clock.now() - began)));
    }
  }

  private count(outcome: ProbeOutcome): void {
    const { events } = this.services;
    if (outcome.ok) {
      this.successes++;
      this.failures = 0;
      if (this.standing !== true && this.successes >= (this.probe.successThreshold ?? 1)) this.settle(true);
      return;
    }
    this.failures++;
    this.successes = 0;
    events.failed(this.kind, outcome.output);
    if (this.standing !== false && this.failures >= (this.probe.failureThreshold ?? 3)) this.settle(false);
  }

  private settle(ok: boolean): void {
    this.standing = ok;
    // A container that is about to be restarted, or has started once and for all, is not asked again.
    if ((this.kind !== 'readiness' && !ok) || (this.kind === 'startup' && ok)) this.held = true;
    this.services.events.changed(this.kind, ok);
  }
}
