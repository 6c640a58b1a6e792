// What the API server is made of, as its handlers and streams are given it. Knows types only.

import type { Clock } from '../../clock.ts';
import type { Network } from '../network/types.ts';
import type { TokenIssuer } from '../registry/index.ts';
import type { Registry } from '../registry/types.ts';
import type { TokenAuthenticator } from './authentication.ts';
import type { Discovery } from './discovery.ts';
import type { KubeletApi } from './kubelet-api.ts';
import type { RequestMetrics } from './metrics.ts';
import type { OpenApi } from './openapi/index.ts';

export interface ServerParts {
  registry: Registry;
  clock: Clock;
  discovery: Discovery;
  openApi: OpenApi;
  metrics: RequestMetrics;
  /** Who signs service account tokens. */
  issuer: TokenIssuer;
  kubelet: KubeletApi | undefined;
  /** Behind the proxy of services. */
  network: Network | undefined;
  tokens: readonly TokenAuthenticator[];
  track(end: () => void): () => void;
}
