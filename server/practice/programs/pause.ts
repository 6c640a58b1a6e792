// The pause image: it holds a place and does nothing else.

import { untilAborted } from './signals.ts';
import type { Program } from './types.ts';

export const pause: Program = {
  image: 'registry.k8s.io/pause',
  config: { entrypoint: ['/pause'], user: '65535' },
  has: executable => executable === '/pause',
  async run(container) {
    container.use({ cpuMillis: 0, memoryBytes: 400 * 1024 });
    await untilAborted(container.signal);
    if (container.signal.reason === 'SIGTERM') container.logError('Shutting down, got signal: Terminated');
    return 0;
  },
};
