// The kubelet's own port 10250 as the API server's node proxy reaches it: health, pods, and the node's image store, which
// tools like `minikube image load` use. Knows HTTP paths, not who asks.

import type { KubeObject } from '../../kube/index.ts';
import { type Attachment, serveHttp } from '../network/index.ts';
import type { HttpRequest, HttpResponse } from '../programs/index.ts';
import { InvalidReference, imageSize, parseReference } from '../programs/index.ts';
import type { NodeImages } from './images.ts';

const PORT = 10250;

/** What of the kubelet is told here. */
interface Kubelet {
  readonly images: NodeImages;
  readonly workers: ReadonlyMap<string, { readonly pod: KubeObject }>;
}

const json = (value: unknown, status = 200): HttpResponse => ({
  status,
  headers: { 'Content-Type': 'application/json' },
  body: `${JSON.stringify(value)}\n`,
});
const text = (body: string, status = 200): HttpResponse => ({
  status,
  headers: { 'Content-Type': 'text/plain; charset=utf-8' },
  body,
});

export function serveKubeletPort(place: Attachment, kubelet: Kubelet, now: () => number): void {
  place.listen(PORT, stream => serveHttp(stream, request => answer(kubelet, request), now));
}

function answer(kubelet: Kubelet, request: HttpRequest): HttpResponse {
  const url = new URL(request.path, 'http://kubelet');
  if (url.pathname === '/healthz') return text('ok');
  if (url.pathname === '/pods' && request.method === 'GET')
    return json({
      kind: 'PodList',
      apiVersion: 'v1',
      metadata: {},
      items: [...kubelet.workers.values()].map(w => w.pod),
    });
  if (url.pathname !== '/images') return text('404 page not found\n', 404);
  if (request.method === 'GET' && !url.searchParams.has('name'))
    return json({ images: kubelet.images.list() });
  return image(kubelet, request.method, url.searchParams.get('name') ?? '');
}

/** One image: GET says what a registry holds, POST makes it present on the node, DELETE removes it. */
function image(kubelet: Kubelet, method: string, name: string): HttpResponse {
  try {
    const reference = parseReference(name);
    if (method === 'DELETE')
      return kubelet.images.remove(name)
        ? json({ removed: reference.canonical })
        : json({ error: 'not present' }, 404);
    const size = imageSize(reference);
    if (size === undefined) return json({ error: 'not found', reference }, 404);
    if (method === 'POST') return json({ loaded: kubelet.images.load(name, size), reference });
    return json({ sizeBytes: size, reference });
  } catch (error) {
    if (error instanceof InvalidReference) return json({ error: error.message }, 400);
    throw error;
  }
}
