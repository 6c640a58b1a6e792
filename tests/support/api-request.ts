// One request to an API server with the credentials of a kubeconfig. Knows no cluster.

import { request } from 'node:https';
import { parse } from 'yaml';

/** Resolves with the parsed answer; rejects on a status of 400 and above. `kubeconfig` is the text. */
export function apiRequest(kubeconfig: string, method: string, path: string, body?: unknown): Promise<any> {
  const config = parse(kubeconfig);
  const { cluster } = config.clusters[0];
  const { user } = config.users[0];
  const pem = (base64?: string) => (base64 ? Buffer.from(base64, 'base64') : undefined);
  return new Promise((resolve, reject) => {
    const call = request(
      `${cluster.server}${path}`,
      {
        method,
        ca: pem(cluster['certificate-authority-data']),
        cert: pem(user['client-certificate-data']),
        key: pem(user['client-key-data']),
        headers: { accept: 'application/json', 'content-type': 'application/json' },
        agent: false,
      },
      answer => {
        let text = '';
        answer.on('data', chunk => {
          text += chunk;
        });
        answer.on('end', () => {
          if ((answer.statusCode ?? 500) >= 400)
            return reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`));
          try {
            resolve(JSON.parse(text));
          } catch (error) {
            reject(error);
          }
        });
      },
    );
    call.once('error', reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
