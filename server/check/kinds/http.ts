// http: a service answers as asked, through a port-forward the checker makes itself. Knows no ingress and no host ports.

import { request } from 'node:http';
import type { Duplex } from 'node:stream';
import type { KindSpec } from '#common/lab/index.ts';
import { match } from '#common/match/index.ts';
import type { KubeObject } from '../../kube/index.ts';
import type { CheckContext, CheckKind, Verdict } from '../types.ts';
import { nameFindings, say } from '../words.ts';

type Spec = KindSpec<'http'>;

/** A service that has not answered by then does not answer. Milliseconds. */
const ANSWER_TIMEOUT = 5_000;
/** More of a body is not read, in bytes. */
const MAX_BODY = 256 * 1024;
/** A ready pod that answers wrongly may change its mind without any object changing. Milliseconds. */
const LOOK_AGAIN = 2_000;

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  body: string;
}

export const http: CheckKind<Spec> = {
  name: 'http',
  latches: false,

  async run(spec, context): Promise<Verdict> {
    const target = parts(spec);
    const [service] = await context.kube.list({
      apiVersion: 'v1',
      kind: 'Service',
      namespace: target.namespace,
      name: target.name,
    });
    if (!service)
      return {
        state: 'not-yet',
        said: say(
          `還沒有 Service ${target.namespace}/${target.name}。`,
          `There is no Service ${target.namespace}/${target.name} yet.`,
        ),
      };
    const found = await backend(service, target, context);
    if ('state' in found) return found;
    let answer: Answer;
    try {
      answer = await ask(
        await context.kube.api.portForward(target.namespace, found.pod.metadata.name, found.port),
        spec,
        `${target.name}.${target.namespace}`,
      );
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return {
        state: 'wrong',
        said: say(
          `Pod ${found.pod.metadata.name} 的連接埠 ${found.port} 沒有回應：${why}`,
          `Port ${found.port} of pod ${found.pod.metadata.name} does not answer: ${why}`,
        ),
        seen: found.pod,
      };
    }
    const findings = judge(spec, answer);
    if (findings.length === 0)
      return { state: 'holds', said: say(`${spec.service}${spec.path}`, `${spec.service}${spec.path}`) };
    const words = nameFindings(findings);
    return {
      state: 'wrong',
      said: say(
        `${spec.service}${spec.path} 有回應，但 ${words['zh-TW']}。`,
        `${spec.service}${spec.path} answers, but ${words.en}.`,
      ),
      findings,
      seen: answer,
    };
  },

  watch(spec, { kube, clock }, changed) {
    const { namespace, name } = parts(spec);
    const stops = [
      kube.watch({ apiVersion: 'v1', kind: 'Service', namespace, name }, changed),
      kube.watch({ apiVersion: 'v1', kind: 'Pod', namespace }, changed),
    ];
    let timer = clock.after(LOOK_AGAIN, function look() {
      changed();
      timer = clock.after(LOOK_AGAIN, look);
    });
    return () => {
      timer.cancel();
      for (const stop of stops) stop();
    };
  },
};

function parts(spec: Spec) {
  const [, namespace = '', name = '', port = ''] = /^([^/]+)\/([^:]+):(.+)$/.exec(spec.service) ?? [];
  return { namespace, name, port };
}

/** The pod and port behind a service, as kubectl port-forward would pick them. */
async function backend(
  service: KubeObject,
  target: ReturnType<typeof parts>,
  { kube }: CheckContext,
): Promise<{ pod: KubeObject; port: number } | Verdict> {
  const port = service.spec.ports?.find(
    (candidate: { port: number; name?: string }) =>
      String(candidate.port) === target.port || candidate.name === target.port,
  );
  if (!port) {
    const has = (service.spec.ports ?? []).map((candidate: { port: number }) => candidate.port).join(', ');
    return {
      state: 'wrong',
      said: say(
        `Service ${target.name} 沒有連接埠 ${target.port}，有的是 ${has || '（無）'}。`,
        `Service ${target.name} has no port ${target.port}; it has ${has || 'none'}.`,
      ),
      seen: service,
    };
  }
  const selector = service.spec.selector as Record<string, string> | undefined;
  const pods = selector
    ? await kube.list({ apiVersion: 'v1', kind: 'Pod', namespace: target.namespace, selector })
    : [];
  if (pods.length === 0) {
    return {
      state: 'not-yet',
      said: say(
        `Service ${target.name} 後面一個 Pod 都沒有：沒有 Pod 帶著它的 selector。`,
        `No pod stands behind service ${target.name}: none carries its selector.`,
      ),
      findings: [{ path: 'spec.selector', expected: '<any>', actual: JSON.stringify(selector ?? {}) }],
      seen: service,
    };
  }
  const ready = pods.find(isReady);
  if (!ready) {
    const [pod] = pods as [KubeObject];
    return {
      state: 'wrong',
      said: say(
        `Service ${target.name} 後面的 Pod ${pod.metadata.name} 還沒就緒（目前是 ${pod.status?.phase}）。`,
        `Pod ${pod.metadata.name} behind service ${target.name} is not ready (it is ${pod.status?.phase}).`,
      ),
      findings: [{ path: 'status.phase', expected: 'Running', actual: String(pod.status?.phase) }],
      seen: pod,
    };
  }
  const wanted = port.targetPort ?? port.port;
  const number =
    typeof wanted === 'number'
      ? wanted
      : (ready.spec.containers as { ports?: { name?: string; containerPort: number }[] }[])
          .flatMap(container => container.ports ?? [])
          .find(candidate => candidate.name === wanted)?.containerPort;
  if (number === undefined) {
    return {
      state: 'wrong',
      said: say(
        `Pod ${ready.metadata.name} 沒有名為 ${wanted} 的連接埠。`,
        `Pod ${ready.metadata.name} has no port named ${wanted}.`,
      ),
      seen: ready,
    };
  }
  return { pod: ready, port: number };
}

const isReady = (pod: KubeObject) =>
  pod.status?.phase === 'Running' &&
  !pod.metadata.deletionTimestamp &&
  pod.status.conditions?.some(
    (condition: { type: string; status: string }) =>
      condition.type === 'Ready' && condition.status === 'True',
  );

function ask(stream: Duplex, spec: Spec, host: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        method: 'GET',
        path: spec.path,
        headers: { host: spec.host ?? host, connection: 'close' },
        timeout: ANSWER_TIMEOUT,
        createConnection: () => stream as never,
      },
      response => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size <= MAX_BODY) chunks.push(chunk);
        });
        response.on('error', reject);
        response.on('end', () => {
          stream.destroy();
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString('utf8'),
          });
        });
      },
    );
    // A forwarded stream has no socket timeout of its own.
    const timer = setTimeout(
      () => outgoing.destroy(new Error(`no answer within ${ANSWER_TIMEOUT / 1000} s`)),
      ANSWER_TIMEOUT,
    );
    stream.on('error', error => outgoing.destroy(error));
    outgoing.on('close', () => {
      clearTimeout(timer);
      stream.destroy();
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

function judge(spec: Spec, answer: Answer) {
  return [
    ...(spec.status === undefined ? [] : match(spec.status, answer.status, 'status')),
    ...(spec.headers === undefined ? [] : match(spec.headers, answer.headers, 'headers')),
    ...(spec.body === undefined ? [] : match(spec.body, parsed(answer), 'body')),
  ];
}

function parsed(answer: Answer): unknown {
  if (!String(answer.headers['content-type'] ?? '').includes('json')) return answer.body;
  try {
    return JSON.parse(answer.body);
  } catch {
    return answer.body;
  }
}
