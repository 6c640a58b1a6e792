// The baseline `mpi`: Kubeflow's MPI Operator with its MPIJob, second version. Knows no lab.

import { say } from '../../check/index.ts';
import { installation } from './installation.ts';
import { mpiCrds } from './training-crds.ts';

export const mpi = installation({
  name: 'mpi',
  file: './mpi.yaml',
  note: say('正在安裝 MPI Operator。', 'Installing the MPI Operator.'),
  kinds: ['mpijobs.kubeflow.org'],
  definitions: mpiCrds,
});
