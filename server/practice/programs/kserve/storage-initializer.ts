// KServe's storage initializer: fetches a model before the server starts. Over plain HTTP from whatever the cluster's network
// reaches; clouds are not on it, so they fail where their names are looked up.

import { DialError, requestHttp } from '../../network/index.ts';
import type { Container, Program } from '../types.ts';

/** The host behind each scheme of a cloud. */
const CLOUDS: Record<string, string> = {
  gs: 'storage.googleapis.com',
  s3: 's3.amazonaws.com',
  hf: 'huggingface.co',
};
const START_MS = 900;

function line(c: Container, level: string, place: string, text: string): void {
  const at = new Date(c.clock.now()).toISOString().replace('T', ' ').slice(0, 23);
  c.logError(`${at} 1 kserve ${level} [${place}] ${text}`);
}

function traceback(c: Container, place: string, error: string): number {
  c.logError(
    `Traceback (most recent call last):\n  File "/storage-initializer/scripts/initializer-entrypoint", line 23, in <module>\n    Storage.download(src_uri, dest_path)\n  File "/kserve/kserve/storage/storage.py", line 100, in ${place}\n${error}`,
  );
  return 1;
}

const unresolved = (host: string, port: number, path: string) =>
  `requests.exceptions.ConnectionError: HTTP${port === 443 ? 'S' : ''}ConnectionPool(host='${host}', port=${port}): Max retries exceeded with url: ${path} (Caused by NameResolutionError("<urllib3.connection.HTTPConnection object>: Failed to resolve '${host}' ([Errno -2] Name or service not known)"))`;

async function download(c: Container, uri: string, folder: string): Promise<number> {
  const scheme = uri.slice(0, Math.max(0, uri.indexOf('://')));
  const cloud = CLOUDS[scheme];
  if (cloud && c.network.lookup(cloud).length === 0)
    return traceback(c, `_download_${scheme === 'gs' ? 'gcs' : scheme}`, unresolved(cloud, 443, '/'));
  if (scheme !== 'http')
    return traceback(
      c,
      'download',
      scheme === 'https' || cloud
        ? unresolved(cloud ?? new URL(uri).hostname, 443, '/')
        : `Exception: Cannot recognize storage type for ${uri}\n['gs://', 's3://', 'file://', 'https?://(.+)/(.+)', 'hf://', 'pvc://'] are the current available storage type.`,
    );
  const { hostname, port, pathname, search } = new URL(uri);
  const number = Number(port || 80);
  try {
    const stream = await c.network.dial(hostname, number);
    const answer = await requestHttp(stream, {
      method: 'GET',
      path: `${pathname}${search}`,
      headers: { host: hostname, accept: '*/*' },
    });
    if (answer.status !== 200)
      return traceback(
        c,
        '_download_from_uri',
        `RuntimeError: URI: ${uri} returned a ${answer.status} response code.`,
      );
    c.files.write(`${folder}/${pathname.split('/').pop()}`, answer.body);
    return 0;
  } catch (error) {
    if (!(error instanceof DialError)) throw error;
    return traceback(
      c,
      '_download_from_uri',
      error.reason === 'no such host'
        ? unresolved(hostname, number, pathname)
        : `requests.exceptions.ConnectionError: HTTPConnectionPool(host='${hostname}', port=${number}): Max retries exceeded with url: ${pathname} (Caused by NewConnectionError("<urllib3.connection.HTTPConnection object>: Failed to establish a new connection: [Errno 111] Connection refused"))`,
    );
  }
}

export const storageInitializer: Program = {
  image: 'docker.io/kserve/storage-initializer',
  config: { entrypoint: ['/storage-initializer/scripts/initializer-entrypoint'] },
  async run(c) {
    const [, uri = '', folder = '/mnt/models'] = c.argv;
    await c.clock.sleep(START_MS, c.signal);
    if (c.signal.aborted) return c.signal.reason === 'SIGTERM' ? 143 : 137;
    line(
      c,
      'INFO',
      'initializer-entrypoint:<module>():16',
      `Initializing, args: src_uri [${uri}] dest_path[ [${folder}]`,
    );
    line(c, 'INFO', 'storage.py:download():66', `Copying contents of ${uri} to local`);
    const code = await download(c, uri, folder);
    if (code === 0) line(c, 'INFO', 'storage.py:download():110', `Successfully copied ${uri} to ${folder}`);
    return code;
  },
};
