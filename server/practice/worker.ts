// Where the worker thread begins: starts the cluster, then keeps its compiled code for the next one. Knows nothing of the cluster.

import { flushCompileCache } from 'node:module';
import './worker-main.ts';

/** The first cluster's learner should not wait for what helps the second one, ms. */
const FLUSH_AFTER = 2000;

setTimeout(flushCompileCache, FLUSH_AFTER).unref();
