// Where a forwarded port is opened. Knows no DOM.

import type { ForwardInfo } from '#common/protocol/session.ts';

/**
 * Browsers send a host's cookies to each of its ports: a program behind a port of this machine is opened by the name that this
 * page was not opened by, and so never gets our pass. `host` is this page's, without a port.
 */
export function forwardAddress({ id, port, direct }: ForwardInfo, session: string, host: string): string {
  if (!direct) return `/open/${session}/${id}`;
  return `http://${host === 'localhost' ? '127.0.0.1' : 'localhost'}:${port}/`;
}
