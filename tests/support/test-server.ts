// A whole server on a free port, with what a test wants replaced; and a browser's part of it: cookie, requests, sockets.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OpenAnswer, OpenRequest } from '#common/protocol/index.ts';
import { type Replacements, type RunningServer, startServer } from '../../server/main.ts';

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface TestServer extends RunningServer {
  /** `http://127.0.0.1:PORT` */
  origin: string;
  /** A cookie header that opens everything. */
  cookie: string;
  data: string;
  open(request: Partial<OpenRequest>): Promise<OpenAnswer>;
}

export interface TestServerOptions extends Replacements {
  /** Files of the site: path to text. */
  site?: Record<string, string>;
  /** A folder with a built site, instead of `site`. */
  builtSite?: string;
  data?: string;
  /** Another folder of labs. */
  labs?: string;
  /** 0, a free one, unless told. */
  port?: number;
}

/** Everything it makes lies in one temporary folder, which goes when it closes. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'kbd-test-'));
  const site = options.builtSite ?? join(folder, 'site');
  const files = options.site ?? { 'index.html': '<!doctype html><title>site</title>' };
  if (!options.builtSite) {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(site, path)), { recursive: true });
      await writeFile(join(site, path), text);
    }
  }
  const data = options.data ?? join(folder, 'data');
  const server = await startServer(
    {
      port: options.port ?? 0,
      root: ROOT,
      site,
      labs: options.labs ?? join(ROOT, 'labs'),
      data,
      cache: join(ROOT, '.cache'),
    },
    options,
  );
  const origin = `http://127.0.0.1:${server.port}`;
  const first = await fetch(server.link(), { redirect: 'manual' });
  const cookie = (first.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  return {
    ...server,
    origin,
    cookie,
    data,
    open: async request => {
      const answer = await fetch(`${origin}/api/session`, {
        method: 'POST',
        headers: { cookie, 'content-type': 'application/json', 'x-kubeflow-by-doing': '1' },
        body: JSON.stringify({
          lab: 'any',
          cluster: { kind: 'practice' },
          language: 'en',
          consent: true,
          ...request,
        }),
      });
      return (await answer.json()) as OpenAnswer;
    },
    close: async () => {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
