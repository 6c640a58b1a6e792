// A Spark executor: registers with its driver and does the tasks it is given. Knows the driver's address, no cluster.

import { DialError } from '../../network/index.ts';
import type { Container } from '../types.ts';
import { entrypointTrace, messages, pointsInside, sparkLog } from './common.ts';

const START_MS = 1_200;
/** What a task takes here, however fast this machine draws numbers. */
const TASK_MS = 500;
const CONNECT_TRIES = 3;
const RETRY_MS = 1_000;

export async function runExecutor(container: Container): Promise<number> {
  const { env, clock, signal, random } = container;
  const log = sparkLog(container);
  const id = env['SPARK_EXECUTOR_ID'] ?? '';
  const host = env['SPARK_EXECUTOR_POD_IP'] ?? '';
  const url = env['SPARK_DRIVER_URL'] ?? '';
  const [, driver = '', port = ''] = /@([^:]+):(\d+)$/.exec(url) ?? [];
  const cores = Number(env['SPARK_EXECUTOR_CORES'] ?? 1);
  const backend = 'CoarseGrainedExecutorBackend';
  container.use({ cpuMillis: 300, memoryBytes: 260 * 1024 * 1024 });
  entrypointTrace(
    container,
    `/usr/bin/tini -s -- /opt/java/openjdk/bin/java -Xms${env['SPARK_EXECUTOR_MEMORY']} -Xmx${env['SPARK_EXECUTOR_MEMORY']} -cp /opt/spark/conf::/opt/spark/jars/*: org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend --driver-url ${url} --executor-id ${id} --cores ${cores} --app-id ${env['SPARK_APPLICATION_ID']} --hostname ${host} --resourceProfileId 0`,
  );
  await clock.sleep(START_MS, signal);
  if (signal.aborted) return exitOf(container);
  log.info(backend, `Connecting to driver: ${url}`);
  let stream: Awaited<ReturnType<typeof container.network.dial>> | undefined;
  for (let attempt = 1; !stream; attempt++) {
    try {
      stream = await container.network.dial(driver, Number(port));
    } catch (error) {
      if (!(error instanceof DialError)) throw error;
      if (attempt === CONNECT_TRIES || signal.aborted) {
        log.error(
          backend,
          `Executor self-exiting due to : Unable to create executor due to Failed to connect to ${driver}:${port}`,
        );
        return 1;
      }
      await clock.sleep(RETRY_MS, signal);
    }
  }
  const connection = stream;
  return new Promise(resolve => {
    const end = (code: number) => {
      connection.destroy();
      resolve(code);
    };
    signal.addEventListener('abort', () => end(exitOf(container)), { once: true });
    const send = messages(connection, async message => {
      if (message.type === 'registered') {
        log.info(backend, 'Successfully registered with driver');
        log.info('Executor', `Starting executor ID ${id} on host ${host}`);
      } else if (message.type === 'task') {
        const name = `task ${message.id}.0 in stage 0.0 (TID ${message.id})`;
        log.info(backend, `Got assigned task ${message.id}`);
        log.info('Executor', `Running ${name}`);
        await clock.sleep(TASK_MS, signal);
        if (signal.aborted) return;
        send({ type: 'result', id: message.id, inside: pointsInside(message.points, random) });
        log.info('Executor', `Finished ${name}. 1418 bytes result sent to driver`);
      } else if (message.type === 'stop') {
        log.info(backend, 'Driver commanded a shutdown');
        log.info('MemoryStore', 'MemoryStore cleared');
        log.info('ShutdownHookManager', 'Shutdown hook called');
        end(0);
      }
    });
    const lost = () => {
      if (signal.aborted) return;
      log.error(
        backend,
        `Executor self-exiting due to : Driver ${driver}:${port} disassociated! Shutting down.`,
      );
      end(1);
    };
    connection.onEnd(lost);
    connection.onClose(lost);
    send({ type: 'register', executor: id, cores, host });
  });
}

const exitOf = ({ signal }: Container) => (signal.reason === 'SIGTERM' ? 143 : 137);
