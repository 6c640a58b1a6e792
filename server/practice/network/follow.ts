// Follows all objects of one resource for as long as somebody wants; a stream that ends is opened again.

import type { ApiClient, GroupVersionResource, KubeObject, WatchHandle } from '../../kube/index.ts';

/** `forget` comes before everything is told anew. */
export function follow(
  client: ApiClient,
  resource: GroupVersionResource,
  apply: (object: KubeObject, gone: boolean) => void,
  forget: () => void,
): WatchHandle {
  let handle: WatchHandle | undefined;
  let stopped = false;
  const open = () => {
    if (stopped) return;
    forget();
    handle = client.watch(
      resource,
      {},
      event => apply(event.object, event.type === 'DELETED'),
      () => queueMicrotask(open),
    );
  };
  open();
  return {
    stop() {
      stopped = true;
      handle?.stop();
    },
  };
}
