// Where the worker thread begins: starts the cluster, then keeps its compiled code for the next one. Knows nothing of the cluster.

import { flushCompileCache } from 'node:module';
import { workerData } from 'node:worker_threads';
import type { WorkerStart } from './worker-protocol.ts';

/** The first cluster's learner should not wait for what helps the second one, ms. */
const FLUSH_AFTER = 2000;

const { code } = workerData as WorkerStart;
await (code ? import(code) : import('./worker-main.ts'));
setTimeout(flushCompileCache, FLUSH_AFTER).unref();
