// oauth2-proxy, which the gateway asks about every request. Knows what its image starts.

import type { Program } from '../types.ts';

export const oauth2Proxy: Program = {
  image: 'quay.io/oauth2-proxy/oauth2-proxy',
  config: { entrypoint: ['/bin/oauth2-proxy'], cmd: [], user: '65532' },
  async run(container) {
    // Most clusters have none.
    const { serveOauth2Proxy } = await import('./run.ts');
    return serveOauth2Proxy(container);
  },
};
