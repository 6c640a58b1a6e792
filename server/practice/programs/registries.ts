// The image registries of this world: which hosts answer, how they ask who is there, and who may come in. Data only.

export interface ImageRegistry {
  /** How it asks for a name and password: at itself, or through tokens of another address. */
  login: 'basic' | { token: string; service: string };
  /** Who has an account: name to password. */
  accounts?: Record<string, string>;
  /** Where manifests are fetched when that is not the host of the reference. */
  endpoint?: string;
}

const token = (host: string): ImageRegistry => ({ login: { token: `https://${host}/token`, service: host } });

/** By the host in an image reference; any other host does not resolve. */
export const registries: Readonly<Record<string, ImageRegistry>> = {
  'docker.io': {
    login: { token: 'https://auth.docker.io/token', service: 'registry.docker.io' },
    accounts: { learner: 'practice-makes-perfect' },
    endpoint: 'registry-1.docker.io',
  },
  'gcr.io': token('gcr.io'),
  'ghcr.io': token('ghcr.io'),
  'k8s.gcr.io': token('k8s.gcr.io'),
  'mcr.microsoft.com': token('mcr.microsoft.com'),
  'nvcr.io': token('nvcr.io'),
  'public.ecr.aws': token('public.ecr.aws'),
  'quay.io': token('quay.io'),
  /** A team's own registry, where every repository is private. */
  'registry.example.com': { login: 'basic', accounts: { learner: 'practice-makes-perfect' } },
  'registry.istio.io': token('registry.istio.io'),
  'registry.k8s.io': token('registry.k8s.io'),
};
