// Dex, which asks people for their password and tells others who they are. Knows what its image starts.

import type { Program } from '../types.ts';

const ENTRYPOINT = '/usr/local/bin/docker-entrypoint';

/** What the image comes with: an issuer nobody else reaches, kept in a file of its own, with no client and no password. */
const DEFAULTS = `${JSON.stringify(
  {
    issuer: 'http://127.0.0.1:5556/dex',
    storage: { type: 'sqlite3', config: { file: '/var/dex/dex.db' } },
    web: { http: '0.0.0.0:5556' },
    logger: { level: 'info', format: 'text' },
    enablePasswordDB: true,
  },
  undefined,
  2,
)}\n`;

export const dex: Program = {
  image: 'ghcr.io/dexidp/dex',
  config: {
    entrypoint: [ENTRYPOINT],
    cmd: ['dex', 'serve', '/etc/dex/config.docker.yaml'],
    user: '1001',
    files: { [ENTRYPOINT]: '#!/bin/sh\nexec "$@"\n', '/etc/dex/config.docker.yaml': DEFAULTS },
  },
  async run(container) {
    const argv = container.argv[0] === ENTRYPOINT ? container.argv.slice(1) : container.argv;
    if (!/^(.*\/)?dex$/.test(argv[0] ?? '') || argv[1] !== 'serve') {
      const { runAsShell } = await import('../shell-images.ts');
      return runAsShell({ ...container, argv });
    }
    // Most clusters have none.
    const { serveDex } = await import('./run.ts');
    return serveDex({ ...container, argv });
  },
};
