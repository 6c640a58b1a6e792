// Kubeflow's Training Operator, first generation: one controller for each framework, of which this one runs PyTorchJobs.
// Beside it the MPI Operator.

import { type Controller, controllerRuntime, runOperator, watched, zapConsole } from '../operator/index.ts';
import type { Container, Program } from '../types.ts';
import { mpiOperator } from './mpi.ts';
import { pytorchJobs } from './pytorch.ts';

const START_MS = 400;
/** In the words of `--enable-scheme`. */
const KINDS = ['TFJob', 'PyTorchJob', 'XGBoostJob', 'MPIJob', 'PaddleJob', 'JAXJob'];

/** `--enable-scheme=pytorchjob`, as often as wanted; without it all of them. */
function enabled({ argv }: Container): string[] {
  const wanted = argv.flatMap((arg, index) => {
    const [, given] = /^--?enable-scheme(?:=(.*))?$/.exec(arg) ?? [undefined, null];
    return given === null ? [] : [(given ?? argv[index + 1] ?? '').toLowerCase()];
  });
  return wanted.length === 0 ? KINDS : KINDS.filter(kind => wanted.includes(kind.toLowerCase()));
}

/** Watches a kind as the real one does, so that a missing definition ends the program. Says that it cannot do more. */
function unsupported(c: Container, kind: string): Controller {
  return {
    name: `${kind.toLowerCase()}-controller`,
    for: watched('kubeflow.org/v1', kind),
    async reconcile({ namespace, name }) {
      zapConsole(c).error(
        'setup',
        'the practice cluster runs PyTorchJobs only',
        `${kind} ${namespace}/${name} is left alone`,
      );
      return undefined;
    },
  };
}

const trainingOperator: Program = {
  image: 'ghcr.io/kubeflow/training-v1/training-operator',
  config: { entrypoint: ['/manager'] },
  async run(c) {
    c.use({ cpuMillis: 4, memoryBytes: 38 * 1024 * 1024 });
    await c.clock.sleep(START_MS, c.signal);
    const log = zapConsole(c);
    log.info('setup', 'starting manager');
    return runOperator(c, {
      component: 'pytorchjob-controller',
      habits: controllerRuntime(c, log),
      controllers: enabled(c).map(kind => (kind === 'PyTorchJob' ? pytorchJobs(c) : unsupported(c, kind))),
    });
  },
};

export const training: readonly Program[] = [trainingOperator, mpiOperator];
