// The wire of the practice cluster: a server that speaks HTTPS for a registry, its certificates and its kubeconfig. The
// folder's only door.

export { staticTokens, type TokenAuthenticator } from './authentication.ts';
export {
  type Authority,
  type CertificateRequest,
  createAuthority,
  issue,
  type KeyPair,
  SERVER_NAMES,
  signCertificate,
} from './certificates.ts';
export { kubeconfigText } from './kubeconfig.ts';
export type { ExecOptions, ExecStreams, KubeletApi, LogOptions } from './kubelet-api.ts';
export { withMetrics } from './resource-metrics.ts';
export { type RestServer, type RestServerOptions, startRestServer } from './server.ts';
export { SERVER_VERSION } from './version.ts';
