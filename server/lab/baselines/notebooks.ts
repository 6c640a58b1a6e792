// The baseline `notebooks`: Kubeflow's notebook-controller and the kind it serves. Knows no lab.

import { say } from '../../check/index.ts';
import { installation } from './installation.ts';
import { notebookCrds } from './notebook-crds.ts';

export const notebooks = installation({
  name: 'notebooks',
  file: './notebooks.yaml',
  note: say('正在安裝 Notebooks 的控制器。', 'Installing the controller of Notebooks.'),
  kinds: ['notebooks.kubeflow.org'],
  definitions: notebookCrds,
});
