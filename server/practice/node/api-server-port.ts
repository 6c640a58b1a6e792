// The API server's port inside the cluster's network: TLS goes to the real one, plain HTTP is answered as a Go server
// answers it. Knows neither certificates nor requests.

import { type Attachment, type ByteStream, serveHttp, streamPair } from '../network/index.ts';
import type { NodeServices } from './types.ts';

const PORT = 8443;
/** The first byte of a TLS handshake record. */
const TLS_HANDSHAKE = 0x16;
const HEALTH = new Set(['/livez', '/readyz', '/healthz']);

/** Serves the port for as long as `place` lasts. */
export function serveApiServer(place: Attachment, services: NodeServices): void {
  place.listen(PORT, stream => {
    const [inner, outer] = streamPair();
    let decided = false;
    stream.onEnd(() => outer.end());
    stream.onClose(error => error && outer.destroy(error));
    stream.onData(chunk => {
      if (!decided) {
        decided = true;
        if (chunk[0] === TLS_HANDSHAKE && services.dialApiServer) void bridge(inner, services.dialApiServer);
        else answerPlain(inner, services);
      }
      outer.write(chunk);
    });
    outer.onData(chunk => stream.write(chunk));
    outer.onEnd(() => stream.end());
  });
}

async function bridge(near: ByteStream, dial: () => Promise<ByteStream>): Promise<void> {
  try {
    const far = await dial();
    near.onData(chunk => far.write(chunk));
    near.onEnd(() => far.end());
    near.onClose(error => error && far.destroy(error));
    far.onData(chunk => near.write(chunk));
    far.onEnd(() => near.end());
    far.onClose(error => error && near.destroy(error));
  } catch (error) {
    near.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Probes of the kubelet come without TLS here; everybody else is told what a Go server tells them. */
function answerPlain(stream: ByteStream, services: NodeServices): void {
  serveHttp(
    stream,
    request =>
      request.headers['user-agent']?.startsWith('kube-probe/') && HEALTH.has(request.path.split('?')[0]!)
        ? { status: 200, body: 'ok' }
        : { status: 400, body: 'Client sent an HTTP request to an HTTPS server.\n' },
    () => services.clock.now(),
  );
}
