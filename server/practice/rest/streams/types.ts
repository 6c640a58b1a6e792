// What a protocol is handed once a connection may leave HTTP. Knows no protocol.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { KubeObject } from '../../../kube/index.ts';
import type { User } from '../../registry/types.ts';
import type { ServerParts } from '../parts.ts';
import type { RequestInfo } from '../request-info.ts';

export interface UpgradeExchange {
  parts: ServerParts;
  request: IncomingMessage;
  socket: Duplex;
  head: Buffer;
  info: RequestInfo & { resource: NonNullable<RequestInfo['resource']> };
  pod: KubeObject;
  user: User;
}
