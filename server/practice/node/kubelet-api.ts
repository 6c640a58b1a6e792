// Answers what the API server asks of kubelets: logs, exec, attach and connections to a pod's ports. Knows workers and
// containers, not the wire.

import { badRequest, internalError, StatusError } from '../../kube/index.ts';
import { DialError, type Network } from '../network/index.ts';
import { ExecStartError, runExec } from '../programs/index.ts';
import type { ExecOptions, ExecStreams, KubeletApi, LogOptions } from '../rest/kubelet-api.ts';
import type { ContainerInstance } from './container.ts';
import type { ContainerRecord } from './container-record.ts';
import type { LogBuffer, LogLine } from './logs.ts';
import type { PodWorker } from './pod-worker.ts';

/** Where a pod runs; undefined when no node knows it. */
export type FindPod = (namespace: string, name: string) => PodWorker | undefined;

export function kubeletApi(find: FindPod, network: Network): KubeletApi {
  const workerOf = (namespace: string, pod: string): PodWorker => {
    const worker = find(namespace, pod);
    if (worker) return worker;
    throw new StatusError({
      message: `pods "${pod}" not found`,
      reason: 'NotFound',
      code: 404,
      details: { name: pod, kind: 'pods' },
    });
  };
  const recordOf = (worker: PodWorker, container: string): ContainerRecord => {
    const record = worker.record(container);
    if (!record) throw badRequest(`container ${container} is not valid for pod ${worker.name}`);
    return record;
  };
  const runningIn = (namespace: string, pod: string, container: string): ContainerInstance => {
    const worker = workerOf(namespace, pod);
    const instance = recordOf(worker, container).instance;
    if (!instance?.running)
      throw new StatusError({
        message: `unable to upgrade connection: container not found ("${container}")`,
        code: 404,
      });
    return instance;
  };

  return {
    async *logs(namespace, pod, options, signal) {
      const worker = workerOf(namespace, pod);
      const log = logOf(worker, recordOf(worker, options.container), options);
      if (typeof log === 'string') {
        yield Buffer.from(log);
        return;
      }
      yield* readLog(log, options, signal, worker);
    },

    async exec(namespace, pod, options, streams) {
      const instance = runningIn(namespace, pod, options.container);
      return execIn(instance, options, streams);
    },

    async attach(namespace, pod, options, streams) {
      const worker = find(namespace, pod);
      const record = worker && recordOf(worker, options.container);
      const instance = record?.instance;
      if (!instance)
        throw new StatusError({
          message: `unable to upgrade connection: container ${options.container} not found in pod ${pod}_${namespace}`,
          code: 404,
        });
      if (!instance.running)
        throw internalError('error attaching to container: container is in CONTAINER_EXITED state');
      return attachTo(instance, options, streams);
    },

    dial(namespace, pod, port) {
      const worker = find(namespace, pod);
      const address = worker?.place?.address;
      if (!address) throw new DialError('connection refused', `127.0.0.1:${port}`);
      return network.dial('127.0.0.1', port, { namespace, podIP: address });
    },
  };
}

/** The log that is asked for; a text when the runtime no longer has it. Throws a 400 when there is none. */
function logOf(worker: PodWorker, record: ContainerRecord, options: LogOptions): LogBuffer | string {
  const { facts, instance } = record;
  const refuse = (why: string) =>
    badRequest(`container "${record.name}" in pod "${worker.name}" is waiting to start: ${why}`);
  if (options.previous) {
    const last =
      facts.waiting || facts.runningSince === undefined ? (facts.previous ?? facts.exited) : facts.previous;
    if (!last || (facts.restarts === 0 && !facts.waiting))
      throw badRequest(`previous terminated container "${record.name}" in pod "${worker.name}" not found`);
    if (instance && instance.id === last.containerID && !instance.running) return instance.log;
    if (record.previousLog?.id === last.containerID) return record.previousLog.log;
    return record.logOf(last.containerID) ?? `unable to retrieve container logs for ${last.containerID}`;
  }
  if (instance) return instance.log;
  if (facts.exited?.containerID)
    return (
      record.logOf(facts.exited.containerID) ??
      `unable to retrieve container logs for ${facts.exited.containerID}`
    );
  const reason = facts.waiting?.reason;
  if (reason === 'ErrImagePull') throw refuse("image can't be pulled");
  if (reason === 'ImagePullBackOff') throw refuse('trying and failing to pull image');
  if (reason) throw refuse(reason);
  throw refuse(
    (worker.pod['spec'].initContainers ?? []).length > 0 ? 'PodInitializing' : 'ContainerCreating',
  );
}

async function* readLog(
  log: LogBuffer,
  options: LogOptions,
  signal: AbortSignal,
  worker: PodWorker,
): AsyncGenerator<Uint8Array> {
  const since = options.sinceTime
    ? Date.parse(options.sinceTime)
    : options.sinceSeconds !== undefined
      ? worker.now() - options.sinceSeconds * 1000
      : Number.NEGATIVE_INFINITY;
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  const from = (lines: readonly LogLine[]) =>
    options.tailLines === undefined ? 0 : Math.max(0, lines.length - options.tailLines);
  for await (const lines of log.read({ follow: options.follow ?? false, from }, signal)) {
    const text = lines
      .filter(line => line.at >= since)
      .map(line => {
        const stamp = options.timestamps ? `${new Date(line.at).toISOString().slice(0, 23)}000000Z ` : '';
        return `${stamp}${line.text}${line.partial ? '' : '\n'}`;
      })
      .join('');
    if (text === '') continue;
    const chunk = Buffer.from(text);
    yield chunk.length > left ? chunk.subarray(0, left) : chunk;
    left -= chunk.length;
    if (left <= 0) return;
  }
}

async function execIn(
  instance: ContainerInstance,
  options: ExecOptions,
  streams: ExecStreams,
): Promise<number> {
  const encode = (chunk: string | Uint8Array) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  const decoder = new TextDecoder();
  try {
    return await runExec(instance.container(), instance.options.program, options.command, {
      stdout: chunk => streams.stdout(encode(chunk)),
      stderr: chunk => (options.tty ? streams.stdout(encode(chunk)) : streams.stderr(encode(chunk))),
      ...(options.stdin
        ? {
            stdin: {
              onData: (listener: (text: string) => void) =>
                streams.onStdin(chunk => listener(decoder.decode(chunk, { stream: true }))),
              onEnd: (listener: () => void) => streams.onStdinEnd(listener),
            },
          }
        : {}),
      signal: AbortSignal.any([streams.signal, instance.gone]),
      tty: options.tty,
      onResize: streams.onResize,
    });
  } catch (error) {
    if (!(error instanceof ExecStartError)) throw error;
    const id = instance.options.random.text(64, '0123456789abcdef');
    throw internalError(
      `error executing command in container: failed to exec in container: failed to start exec "${id}": OCI runtime exec failed: exec failed: unable to start container process: ${error.message}`,
    );
  }
}

function attachTo(
  instance: ContainerInstance,
  options: Omit<ExecOptions, 'command'>,
  streams: ExecStreams,
): Promise<number> {
  const decoder = new TextDecoder();
  const stop = instance.log.subscribe((text, stream) => {
    const chunk = Buffer.from(text);
    if (stream === 'stderr' && !options.tty) streams.stderr(chunk);
    else streams.stdout(chunk);
  });
  if (options.stdin) {
    streams.onStdin(chunk => instance.input(decoder.decode(chunk, { stream: true })));
    streams.onStdinEnd(() => instance.endInput());
  }
  return new Promise(resolve => {
    const done = () => {
      stop();
      resolve(instance.exit?.code ?? 0);
    };
    instance.gone.addEventListener('abort', done, { once: true });
    streams.signal.addEventListener('abort', done, { once: true });
  });
}
