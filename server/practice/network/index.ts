// The only door of the network folder.

export type { AddressPool } from './addresses.ts';
export { callGrpc, GRPC, GrpcError, type GrpcMethod, serveGrpc } from './grpc.ts';
export { checkHealth, type Health, healthMethods, serveHealth } from './grpc-health.ts';
export type { HttpAnswer, HttpCall, HttpRequest, HttpResponse } from './http.ts';
export { requestHttp, STATUS_TEXT, serveHttp } from './http.ts';
export type { Attachment, Source } from './network.ts';
export { ClusterNetwork } from './network.ts';
export { NetworkPolicies } from './policies.ts';
export { streamPair } from './streams.ts';
export { CertificateError, openTls, PlainServer } from './tls.ts';
export type { ByteStream, Network } from './types.ts';
export { DialError } from './types.ts';
