// A general long-running server: it opens the ports its pod declares and answers probes. For images whose own behaviour
// nothing here depends on yet. Knows nothing of what the image would really do.

import { serveHealth } from '../network/index.ts';
import { quantityNumber } from './quantity.ts';
import { untilAborted } from './signals.ts';
import type { Container, HttpResponse, Program } from './types.ts';

/** From the process' start until it listens: what a small Go server needs. */
const START_MS = 250;

export const generalServer: Program = {
  image: '*',
  async run(container) {
    const memory = (14 + container.random.below(16)) * 1024 * 1024;
    const limit = quantityNumber(specOf(container)?.resources?.limits?.memory);
    // A server is given the room it needs: a limit that its authors chose is not what ends it.
    container.use({
      cpuMillis: 1 + container.random.below(6),
      memoryBytes: limit > 0 ? Math.min(memory, limit * 0.6) : memory,
    });
    await container.clock.sleep(START_MS, container.signal);
    if (container.signal.aborted) return exitCode(container);
    const grpc = grpcPorts(container);
    for (const port of portsOf(container)) {
      if (grpc.has(port)) container.listen(port, stream => serveHealth(stream));
      else container.serveHttp(port, request => answerProbe(container, request.path));
      container.log(`serving on 0.0.0.0:${port}`);
    }
    await untilAborted(container.signal);
    return exitCode(container);
  },
};

/** Where its authors had it asked over gRPC. */
function grpcPorts(container: Container): Set<number> {
  const spec = specOf(container);
  const probes = [spec?.readinessProbe, spec?.livenessProbe, spec?.startupProbe];
  return new Set(probes.flatMap(probe => (probe?.grpc ? [probe.grpc.port] : [])));
}

/** A server that handles SIGTERM ends cleanly. */
const exitCode = (container: Container) => (container.signal.reason === 'SIGTERM' ? 0 : 137);

/** The ports a container of this pod serves: those it declares and those its probes ask for. */
export function portsOf(container: Container): number[] {
  const spec = specOf(container);
  const declared: { name?: string; containerPort: number; protocol?: string }[] = spec?.ports ?? [];
  const ports = new Set(declared.filter(p => (p.protocol ?? 'TCP') === 'TCP').map(p => p.containerPort));
  const named = new Map(declared.filter(p => p.name).map(p => [p.name!, p.containerPort]));
  for (const probe of [spec?.readinessProbe, spec?.livenessProbe, spec?.startupProbe]) {
    const port = probe?.httpGet?.port ?? probe?.tcpSocket?.port ?? probe?.grpc?.port;
    if (port === undefined) continue;
    const number = typeof port === 'number' ? port : (named.get(port) ?? Number(port));
    if (Number.isInteger(number)) ports.add(number);
  }
  return [...ports].sort((a, b) => a - b);
}

export function specOf(container: Container): any {
  const spec = container.pod['spec'];
  return [
    ...(spec.containers ?? []),
    ...(spec.initContainers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ].find(c => c.name === container.name);
}

const HEALTH = /^\/(healthz?|readyz?|livez?|ping|status|-\/(healthy|ready))?(\/|\?|$)/;

/** 200 for what a probe of this container asks and for the common health paths, 404 for the rest. */
export function answerProbe(container: Container, path: string): HttpResponse {
  const spec = specOf(container);
  const probed = [spec?.readinessProbe, spec?.livenessProbe, spec?.startupProbe].some(
    p => p?.httpGet?.path !== undefined && path.split('?')[0] === p.httpGet.path.split('?')[0],
  );
  const headers = { 'Content-Type': 'text/plain; charset=utf-8' };
  if (probed || HEALTH.test(path)) return { status: 200, headers, body: 'ok' };
  return { status: 404, headers, body: '404 page not found\n' };
}
