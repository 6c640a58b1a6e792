// Where the worker thread begins: starts the cluster, then keeps its compiled code for the next one. Knows nothing of the cluster.

import { flushCompileCache } from 'node:module';

/** The first cluster's learner should not wait for what helps the second one, ms. */
const FLUSH_AFTER = 2000;

await import('./worker-main.ts');
setTimeout(flushCompileCache, FLUSH_AFTER).unref();
