// The baseline `training`: Kubeflow's Training Operator, first generation, and its PyTorchJob. Knows no lab.

import { say } from '../../check/index.ts';
import { installation } from './installation.ts';
import { trainingCrds } from './training-crds.ts';

export const training = installation({
  name: 'training',
  file: './training.yaml',
  note: say('正在安裝 Training Operator。', 'Installing the Training Operator.'),
  kinds: ['pytorchjobs.kubeflow.org'],
  definitions: trainingCrds,
});
