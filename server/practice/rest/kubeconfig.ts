// The kubeconfig text of a practice cluster: one cluster, one user, one context, all named minikube. Knows no files.

export interface KubeconfigParts {
  /** `https://127.0.0.1:41231`. */
  server: string;
  /** PEM. */
  caCert: string;
  /** Either a client certificate with its key (PEM) ... */
  clientCert?: string;
  clientKey?: string;
  /** ... or a bearer token. */
  token?: string;
  /** Name of cluster, user and context; minikube calls all three by the profile. */
  name?: string;
  /** The context's namespace. */
  namespace?: string;
}

/** YAML, as `kubectl config view --flatten` would print it. */
export function kubeconfigText(parts: KubeconfigParts): string {
  const name = parts.name ?? 'minikube';
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const user =
    parts.token !== undefined
      ? [`    token: ${JSON.stringify(parts.token)}`]
      : [
          `    client-certificate-data: ${base64(parts.clientCert ?? '')}`,
          `    client-key-data: ${base64(parts.clientKey ?? '')}`,
        ];
  return [
    'apiVersion: v1',
    'clusters:',
    '- cluster:',
    `    certificate-authority-data: ${base64(parts.caCert)}`,
    `    server: ${parts.server}`,
    `  name: ${name}`,
    'contexts:',
    '- context:',
    `    cluster: ${name}`,
    `    namespace: ${parts.namespace ?? 'default'}`,
    `    user: ${name}`,
    `  name: ${name}`,
    `current-context: ${name}`,
    'kind: Config',
    'preferences: {}',
    'users:',
    `- name: ${name}`,
    '  user:',
    ...user,
    '',
  ].join('\n');
}
