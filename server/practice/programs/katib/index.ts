// Katib's programs: the controller, the algorithm services, the collector beside a training, and the keeper of what was measured.

import type { Program } from '../types.ts';
import { katibController } from './controller.ts';
import { dbManagers } from './db-manager.ts';
import { metricsCollector } from './metrics-collector.ts';
import { suggestionServices } from './suggestion.ts';

export const katib: readonly Program[] = [
  katibController,
  ...suggestionServices,
  metricsCollector,
  ...dbManagers,
];
