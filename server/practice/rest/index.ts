// The wire of the practice cluster: a server that speaks HTTPS for a registry, its certificates and its kubeconfig. The
// folder's only door.

export { staticTokens } from './authentication.ts';
export { type Authority, createAuthority, signCertificate } from './certificates.ts';
export { kubeconfigText } from './kubeconfig.ts';
export { withMetrics } from './resource-metrics.ts';
export { type RestServer, startRestServer } from './server.ts';
