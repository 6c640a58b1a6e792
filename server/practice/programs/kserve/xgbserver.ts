// KServe's server for XGBoost: loads the one model file it finds, and answers the V1 protocol from it. Knows no cluster.

import { flagOf } from '../flags.ts';
import { exitOf, untilAborted } from '../signals.ts';
import type { Container, HttpRequest, HttpResponse, Program } from '../types.ts';
import { type Booster, ModelError, readBooster } from './booster.ts';

const EXTENSIONS = /\.(bst|json|ubj)$/;
/** Python and its libraries have to be read first. */
const START_MS = 400;

const json = (value: unknown, status = 200): HttpResponse => ({
  status,
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(value),
});

function line(c: Container, level: string, place: string, text: string): void {
  const at = new Date(c.clock.now()).toISOString().replace('T', ' ').slice(0, 23);
  c.logError(`${at} 1 kserve ${level} [${place}] ${text}`);
}

/** Undefined when there is no model file; throws when there are several, or one that cannot be read. */
function load(c: Container, folder: string): Booster | undefined {
  const files = c.files.list(folder).filter(name => EXTENSIONS.test(name));
  if (files.length === 0) return undefined;
  if (files.length > 1)
    throw new Error(
      `More than one model file is detected, Only one is allowed within model_dir: [${files.map(name => `'${folder}/${name}'`).join(', ')}]`,
    );
  if (!files[0]!.endsWith('.json'))
    throw new Error(`this practice cluster reads XGBoost models as JSON only, not ${files[0]}`);
  return readBooster(c.files.readText(`${folder}/${files[0]}`) ?? '');
}

/** As Python writes a number that is no integer by kind: `310.0`. */
const float = (value: number) => (Number.isInteger(value) ? `${value}.0` : String(value));

function predict(booster: Booster, request: HttpRequest): HttpResponse {
  let body: any;
  try {
    body = JSON.parse(Buffer.from(request.body).toString('utf8'));
  } catch {
    return json(
      { error: 'Unrecognized request format: unexpected character: line 1 column 1 (char 0)' },
      400,
    );
  }
  const rows: unknown = body?.instances ?? body?.inputs;
  if (!Array.isArray(rows)) return json({ error: 'Expected "instances" or "inputs" to be a list' }, 400);
  for (const row of rows)
    if (!Array.isArray(row) || row.length !== booster.features)
      return json(
        {
          error: `Feature shape mismatch, expected: ${booster.features}, got ${Array.isArray(row) ? row.length : 1}`,
        },
        500,
      );
  const numbers = rows.map(row => row.map((value: unknown) => (value === null ? Number.NaN : Number(value))));
  const predictions = numbers.map(row => float(booster.predict(row)));
  return { ...json({}), body: `{"predictions":[${predictions.join(',')}]}` };
}

export const xgbserver: Program = {
  image: 'docker.io/kserve/xgbserver',
  config: { entrypoint: ['python', '-m', 'xgbserver'], user: '1000', exposed: [8080] },
  async run(c) {
    const name = flagOf(c, 'model_name') ?? 'model';
    const folder = flagOf(c, 'model_dir') ?? '/mnt/models';
    const port = Number(flagOf(c, 'http_port') ?? '8080');
    c.use({ cpuMillis: 5, memoryBytes: 180 * 1024 * 1024 });
    await c.clock.sleep(START_MS, c.signal);
    if (c.signal.aborted) return exitOf(c);
    let booster: Booster | undefined;
    try {
      booster = load(c, folder);
    } catch (error) {
      c.logError(
        `Traceback (most recent call last):\n  File "/xgbserver/xgbserver/__main__.py", line 45, in <module>\n    model.load()\n${error instanceof ModelError ? 'xgboost.core.XGBoostError' : 'RuntimeError'}: ${error instanceof Error ? error.message : error}`,
      );
      return 1;
    }
    if (booster) line(c, 'INFO', 'model_server.py:register_model():402', `Registering model: ${name}`);
    else
      line(
        c,
        'ERROR',
        '__main__.py:<module>():51',
        `fail to load model ${name} from dir ${folder},trying to load from model repository.`,
      );
    line(c, 'INFO', 'model_server.py:setup_event_loop():282', 'Setting max asyncio worker threads as 6');
    c.serveHttp(port, request => answer(request, name, booster));
    line(c, 'INFO', 'server.py:start():161', 'Starting uvicorn with 1 workers');
    const at = new Date(c.clock.now()).toISOString().replace('T', ' ').slice(0, 23);
    for (const text of [
      'Started server process [1]',
      'Waiting for application startup.',
      'Application startup complete.',
      `Uvicorn running on http://0.0.0.0:${port} (Press CTRL+C to quit)`,
    ])
      c.logError(`${at} 1 uvicorn.error INFO:     ${text}`);
    await untilAborted(c.signal);
    return exitOf(c);
  },
};

function answer(request: HttpRequest, name: string, booster: Booster | undefined): HttpResponse {
  const path = decodeURIComponent(request.path.split('?')[0]!);
  if (path === '/') return json({ status: 'alive' });
  if (path === '/v1/models') return json({ models: booster ? [name] : [] });
  const [, asked = '', verb] = /^\/v1\/models\/([^/:]+)(?::(\w+))?$/.exec(path) ?? [];
  if (asked === '') return json({ detail: 'Not Found' }, 404);
  if (!booster || asked !== name) return json({ error: `Model with name ${asked} does not exist.` }, 404);
  if (verb === undefined) return json({ name, ready: true });
  if (verb !== 'predict' || request.method !== 'POST') return json({ detail: 'Method Not Allowed' }, 405);
  return predict(booster, request);
}
