// JupyterLab as Kubeflow's notebook images start it: it listens on 8888 below the prefix it was given and answers the parts
// of Jupyter Server's API by which others see whether it is idle. Kernels can be started and stopped; they run no code.

import { exitOf, untilAborted } from '../signals.ts';
import type { Container, HttpRequest, HttpResponse, Program } from '../types.ts';

const PORT = 8888;
const VERSION = '2.15.0';
/** From the process' start until the server listens: s6 runs its scripts, then Python loads Jupyter's extensions. */
const INIT_MS = 300;
const LOAD_MS = 900;

interface Kernel {
  id: string;
  name: string;
  last_activity: string;
  execution_state: 'idle';
  connections: number;
}

const json = (value: unknown, status = 200): HttpResponse => ({
  status,
  headers: { 'Content-Type': 'application/json', Server: 'TornadoServer/6.4.2' },
  body: status === 204 ? '' : JSON.stringify(value),
});

const server = (image: string): Program => ({
  image,
  config: {
    entrypoint: ['/init'],
    env: { NB_USER: 'jovyan', NB_UID: '1000', NB_PREFIX: '/', HOME: '/home/jovyan', SHELL: '/bin/bash' },
    user: '1000',
    workingDir: '/home/jovyan',
    exposed: [PORT],
  },
  async run(c) {
    c.use({ cpuMillis: 15, memoryBytes: 120 * 1024 * 1024 });
    const say = (text: string) => c.logError(text);
    for (const line of [
      's6-rc: info: service s6rc-oneshot-runner: starting',
      's6-rc: info: service s6rc-oneshot-runner successfully started',
      'cont-init: info: running /etc/cont-init.d/01-copy-tmp-home',
      'cont-init: info: /etc/cont-init.d/01-copy-tmp-home exited 0',
      'services-up: info: copying legacy longrun jupyterlab (no readiness notification)',
    ])
      say(line);
    await c.clock.sleep(INIT_MS, c.signal);
    c.log('INFO: starting jupyter...');
    await c.clock.sleep(LOAD_MS, c.signal);
    if (c.signal.aborted) return exitOf(c);

    const base = (c.env['NB_PREFIX'] ?? '').replace(/\/+$/, '');
    serve(c, base);
    const log = (text: string) => say(`[I ${stamp(c)} ServerApp] ${text}`);
    log('jupyter_lsp | extension was successfully linked.');
    log(`Serving notebooks from local directory: ${c.env['HOME'] ?? '/home/jovyan'}`);
    log(`Jupyter Server ${VERSION} is running at:`);
    log(`http://${c.env['HOSTNAME'] ?? c.pod.metadata.name}:${PORT}${base}/lab`);
    log('Use Control-C to stop this server and shut down all kernels (twice to skip confirmation).');
    await untilAborted(c.signal);
    return exitOf(c);
  },
});

export const jupyter: readonly Program[] = [
  server('ghcr.io/kubeflow/kubeflow/notebook-servers/jupyter'),
  server('ghcr.io/kubeflow/kubeflow/notebook-servers/jupyter-scipy'),
];

function serve(c: Container, base: string): void {
  const kernels = new Map<string, Kernel>();
  const started = now(c);
  let lastActivity = started;
  c.serveHttp(PORT, request => {
    const [path = ''] = request.path.split('?');
    const answer =
      path.startsWith(`${base}/`) || path === base ? inside(path.slice(base.length), request) : missing();
    const time = `${c.random.below(30) / 10 + 0.4}`.slice(0, 3);
    c.logError(
      `[${answer.status < 400 ? 'I' : 'W'} ${stamp(c)} ServerApp] ${answer.status} ${request.method} ${request.path} (@${request.headers['host'] ?? '127.0.0.1'}) ${time}ms`,
    );
    return answer;
  });

  function inside(path: string, { method, body }: HttpRequest): HttpResponse {
    if (path === '' || path === '/' || path === '/tree')
      return { status: 302, headers: { Location: `${base}/lab?` } };
    if (path === '/lab')
      return { status: 200, headers: { 'Content-Type': 'text/html; charset=UTF-8' }, body: page(base) };
    if (path === '/api') return json({ version: VERSION });
    if (path === '/api/status')
      return json({ connections: 0, kernels: kernels.size, last_activity: lastActivity, started });
    if (path === '/api/contents') return json(folder(c));
    if (path === '/api/kernels' && method === 'POST') {
      const id = c.random.uuid();
      lastActivity = now(c);
      const name = kernelName(body);
      kernels.set(id, { id, name, last_activity: lastActivity, execution_state: 'idle', connections: 0 });
      return json(kernels.get(id), 201);
    }
    if (path === '/api/kernels') return json([...kernels.values()]);
    const id = /^\/api\/kernels\/([^/]+)$/.exec(path)?.[1];
    const kernel = kernels.get(id ?? '');
    if (!kernel) return missing(id && `Kernel does not exist: ${id}`);
    if (method !== 'DELETE') return json(kernel);
    kernels.delete(kernel.id);
    return json('', 204);
  }
}

const missing = (message = 'Not Found'): HttpResponse => json({ message, reason: null }, 404);

function kernelName(body: Uint8Array): string {
  try {
    return String(JSON.parse(Buffer.from(body).toString('utf8')).name ?? 'python3');
  } catch {
    return 'python3';
  }
}

function folder(c: Container) {
  const home = c.env['HOME'] ?? '/home/jovyan';
  const names = c.files.isFolder(home) ? c.files.list(home) : [];
  const content = names.map(name => ({
    name,
    path: name,
    type: c.files.isFolder(`${home}/${name}`) ? 'directory' : name.endsWith('.ipynb') ? 'notebook' : 'file',
  }));
  return { name: '', path: '', type: 'directory', writable: true, format: 'json', content };
}

const page = (base: string) =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>JupyterLab</title></head><body><p>This is the server of a practice cluster: it answers ${base}/api and runs no code.</p></body></html>\n`;

const now = (c: Container) => new Date(c.clock.now()).toISOString().replace(/Z$/, '000Z');
const stamp = (c: Container) => new Date(c.clock.now()).toISOString().slice(0, 23).replace('T', ' ');
