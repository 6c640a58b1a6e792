// Spark's programs: the operator, and what the image does as driver and as executor.

import { runAsShell } from '../shell-images.ts';
import type { Program } from '../types.ts';
import { runDriver } from './driver.ts';
import { runExecutor } from './executor.ts';
import { sparkOperator } from './operator.ts';

const ENTRYPOINT = '/opt/entrypoint.sh';

const spark: Program = {
  image: 'docker.io/library/spark',
  config: {
    entrypoint: [ENTRYPOINT],
    cmd: [],
    user: '185',
    workingDir: '/opt/spark/work-dir',
    files: { [ENTRYPOINT]: '' },
  },
  run(container) {
    const [, ...argv] = container.argv;
    if (argv[0] === 'driver') return runDriver(container);
    if (argv[0] === 'executor') return runExecutor(container);
    return runAsShell({ ...container, argv });
  },
};

export const sparkPrograms: readonly Program[] = [sparkOperator, spark];
