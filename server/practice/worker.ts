// Where the worker thread begins: keeps compiled code between runs, then starts the cluster. Knows nothing of the cluster.

import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// Stripping types from some hundreds of files takes longer than booting the cluster they make.
enableCompileCache(fileURLToPath(new URL('../../.cache/compile', import.meta.url)));
await import('./worker-main.ts');
