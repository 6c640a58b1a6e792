// The inside of a script check: runs one file of a lab in a thread of its own and says what it gave. Knows no cluster: it asks outside.
//
// A lab's script is somebody else's code. It gets what `ScriptContext` offers and nothing more: no modules but files of its own lab,
// no process, no network, no environment. Whoever started this thread ends it when its time is up.

import { once } from 'node:events';
import { registerHooks } from 'node:module';
import { parentPort } from 'node:worker_threads';
import type { Script, ScriptContext } from './script.ts';
import type { FromScript, ScriptStart, ToScript } from './script-thread.ts';

/** What reaches outside, or ends or disturbs the thread. */
const NOT_FOR_SCRIPTS = [
  'process',
  'require',
  'fetch',
  'WebSocket',
  'EventSource',
  'XMLHttpRequest',
  'navigator',
  'localStorage',
  'sessionStorage',
  'BroadcastChannel',
  'MessageChannel',
  'Worker',
];

const port = parentPort!;
const [{ file, folder, commands, deadline }] = (await once(port, 'message')) as [ScriptStart];
const waiting = new Map<number, PromiseWithResolvers<unknown>>();
let asked = 0;

port.on('message', ({ id, value, problem }: ToScript) => {
  const one = waiting.get(id);
  waiting.delete(id);
  if (problem === undefined) one?.resolve(value);
  else one?.reject(new Error(problem));
});

function ask(what: 'list' | 'get', argument: unknown): Promise<unknown> {
  const one = Promise.withResolvers<unknown>();
  waiting.set(++asked, one);
  tell({ kind: 'ask', id: asked, what, argument });
  return one.promise;
}

const tell = (message: FromScript) => port.postMessage(message);

registerHooks({
  resolve(specifier, context, next) {
    if (/^(file:|\.{0,2}\/)/.test(specifier)) {
      const found = next(specifier, context);
      if (found.url === file || found.url.startsWith(folder)) return found;
    }
    throw new Error(`it imports ${specifier}; a script may only import files of its own lab`);
  },
});
for (const name of NOT_FOR_SCRIPTS) Reflect.deleteProperty(globalThis, name);

try {
  const { default: run } = (await import(file)) as { default?: unknown };
  if (typeof run !== 'function') throw new Error('it has no default export that is a function');
  const context: ScriptContext = {
    list: ref => ask('list', ref) as ReturnType<ScriptContext['list']>,
    get: path => ask('get', path),
    commands: () => commands,
    signal: AbortSignal.timeout(deadline),
  };
  tell({ kind: 'verdict', verdict: await (run as Script)(context) });
} catch (error) {
  tell({ kind: 'failed', why: error instanceof Error ? error.message : String(error) });
}
