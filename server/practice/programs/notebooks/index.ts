// Kubeflow Notebooks: the controller, and the servers it gives to people.

import type { Program } from '../types.ts';
import { notebookController } from './controller.ts';
import { jupyter } from './jupyter.ts';

export const notebooks: readonly Program[] = [notebookController, ...jupyter];
