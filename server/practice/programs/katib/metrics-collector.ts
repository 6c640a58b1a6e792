// Katib's file-metrics-collector, the sidecar of a trial: shows what the training prints, and when the training has ended
// reports the metrics it finds in it. Knows the file, the other container's end and the db-manager, no experiment.

import { GrpcError } from '../../network/index.ts';
import { klog } from '../operator/index.ts';
import { exitOf } from '../signals.ts';
import type { Container, Program } from '../types.ts';
import { call, type LoggedMetric, reportObservationLog } from './messages.ts';

const POLL_MS = 1_000;
const COMPLETED = 'completed';
const UNAVAILABLE = 'unavailable';
const FATAL = 255;
/** `name=value`, Katib's default filter. */
const METRIC = /([\w|-]+)\s*=\s*([+-]?\d*(\.\d+)?([Ee][+-]?\d+)?)/g;
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)\s/;

/** `-t NAME -m loss;accuracy -path FILE ...` */
function flagsOf(argv: readonly string[]): Record<string, string> {
  const flags: Record<string, string> = {};
  for (const [index, arg] of argv.entries())
    if (arg.startsWith('-') && argv[index + 1] !== undefined)
      flags[arg.replace(/^-+/, '')] = argv[index + 1]!;
  return flags;
}

/** Every reported value of the wanted metrics; the first of them is the objective, without which all is unavailable. */
function metricsIn(text: string, wanted: readonly string[], now: string): LoggedMetric[] {
  const found = text.split('\n').flatMap(line => {
    const timeStamp = TIMESTAMP.exec(line)?.[0].trim() ?? now;
    return [...line.matchAll(METRIC)]
      .map(([, name = '', value = '']) => ({ timeStamp, metric: { name: name.trim(), value: value.trim() } }))
      .filter(({ metric }) => wanted.includes(metric.name) && metric.value !== '');
  });
  const objective = wanted[0] ?? '';
  if (found.some(({ metric }) => metric.name === objective)) return found;
  return [{ timeStamp: now, metric: { name: objective, value: UNAVAILABLE } }];
}

export const metricsCollector: Program = {
  image: 'ghcr.io/kubeflow/katib/file-metrics-collector',
  config: { entrypoint: ['./file-metricscollector'] },
  async run(container: Container) {
    const log = (level: string, place: string, text: string) =>
      container.logError(klog(container, level, place, text));
    const fatal = (place: string, text: string) => {
      log('F', place, text);
      return FATAL;
    };
    const flags = flagsOf(container.argv);
    const path = flags['path'] ?? '';
    const folder = path.slice(0, path.lastIndexOf('/'));
    container.use({ cpuMillis: 2, memoryBytes: 14 * 1024 * 1024 });
    log('I', 'main.go:400', `Trial Name: ${flags['t'] ?? ''}`);
    let shown = 0;
    /** Whole lines that have come since the last look; at the end also what has no newline. */
    const show = (last: boolean) => {
      const text = (container.files.readText(path) ?? '').slice(shown);
      const whole = last ? text : text.slice(0, text.lastIndexOf('\n') + 1);
      shown += whole.length;
      for (const line of whole.split('\n')) if (line) log('I', 'main.go:143', line);
    };
    for (;;) {
      const trainings = container.processes().filter(({ name }) => name !== container.name);
      const over = trainings.length > 0 && trainings.every(({ ended }) => ended);
      show(over);
      if (over) break;
      await container.clock.sleep(POLL_MS, container.signal);
      if (container.signal.aborted) return exitOf(container);
    }
    const marks = container.files.list(folder).filter(name => name.endsWith('.pid'));
    const complete = marks.some(name => container.files.readText(`${folder}/${name}`)?.trim() === COMPLETED);
    if (!complete)
      return fatal(
        'main.go:416',
        'Failed to wait for worker container: unable to find marked file with completed text: training container has failed',
      );
    const now = new Date(container.clock.now()).toISOString();
    const wanted = (flags['m'] ?? '').split(';');
    const metricLogs = metricsIn(container.files.readText(path) ?? '', wanted, now);
    if (metricLogs[0]?.metric.value === UNAVAILABLE)
      log(
        'I',
        'file-metricscollector.go:181',
        `Objective metric ${wanted[0]} is not found in training logs, ${UNAVAILABLE} value is reported`,
      );
    try {
      await call(container, flags['s-db'] ?? '', reportObservationLog, {
        trialName: flags['t'] ?? '',
        observationLog: { metricLogs },
      });
    } catch (error) {
      if (!(error instanceof GrpcError)) throw error;
      return fatal('main.go:455', `Failed to Report logs: ${error.message}`);
    }
    const written = metricLogs.map(
      ({ timeStamp, metric }) =>
        `metric_logs:{time_stamp:"${timeStamp}"  metric:{name:"${metric.name}"  value:"${metric.value}"}}`,
    );
    log('I', 'main.go:459', `Metrics reported. :\n${written.join('  ')}`);
    return 0;
  },
};
