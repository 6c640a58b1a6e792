// The images of one node: what is present, and how pulling goes. Knows no pods; what can be pulled is given to it.

import { createHash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { type ImageReference, InvalidReference, parseReference } from '../programs/index.ts';

/** A pull's fixed part (name resolution, manifests) and how fast layers arrive. */
const PULL_BASE_MS = 600;
const PULL_BYTES_PER_MS = 250_000;
/** Pulls that run at once; the others wait, which the event's `including waiting` shows. */
const PARALLEL_PULLS = 10;
/** Hosts whose registries exist in this world; any other name does not resolve. */
const REGISTRIES = new Set([
  'docker.io',
  'gcr.io',
  'ghcr.io',
  'k8s.gcr.io',
  'mcr.microsoft.com',
  'public.ecr.aws',
  'quay.io',
  'registry.istio.io',
  'registry.k8s.io',
  'nvcr.io',
]);

export interface StoredImage {
  /** `sha256:…`, the image's own id. */
  id: string;
  /** References that lead to it, canonical. */
  names: string[];
  sizeBytes: number;
  /** `repository@sha256:…` when it came from a registry; a loaded image has none. */
  repoDigest?: string;
}

export interface PullResult {
  image: StoredImage;
  /** Milliseconds: the pull itself, and with waiting for its turn. */
  tookMs: number;
  totalMs: number;
}

export class PullError extends Error {}

const sha256 = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;

export class NodeImages {
  private readonly byName = new Map<string, StoredImage>();
  private readonly downloads = new Map<string, Promise<StoredImage>>();
  private running = 0;
  private waiting: (() => void)[] = [];
  private readonly clock: Clock;
  private readonly available: (reference: ImageReference) => number | undefined;
  private readonly knownRepository: (repository: string) => boolean;
  private readonly onChange: () => void;

  constructor(services: {
    clock: Clock;
    /** Size in bytes of what a registry holds under this reference; undefined when it does not. */
    available: (reference: ImageReference) => number | undefined;
    knownRepository: (repository: string) => boolean;
    onChange?: () => void;
  }) {
    this.clock = services.clock;
    this.available = services.available;
    this.knownRepository = services.knownRepository;
    this.onChange = services.onChange ?? (() => {});
  }

  /** By any reference a pod may use; undefined when absent or unreadable. */
  find(name: string): StoredImage | undefined {
    try {
      return this.byName.get(parseReference(name).canonical);
    } catch (error) {
      if (error instanceof InvalidReference) return undefined;
      throw error;
    }
  }

  /** Largest first, as a node reports them. */
  list(): StoredImage[] {
    const distinct = [...new Set(this.byName.values())];
    return distinct.sort((a, b) => b.sizeBytes - a.sizeBytes || (a.names[0]! < b.names[0]! ? -1 : 1));
  }

  /** Makes an image present without a registry (preloaded, or `minikube image load`). */
  load(name: string, sizeBytes: number, options: { fromRegistry?: boolean } = {}): StoredImage {
    const reference = parseReference(name);
    const present = this.byName.get(reference.canonical);
    if (present) return present;
    const id = sha256(`config ${reference.canonical}`);
    const image: StoredImage = [...this.byName.values()].find(i => i.id === id) ?? {
      id,
      names: [],
      sizeBytes,
    };
    image.names.push(reference.canonical);
    if (options.fromRegistry)
      image.repoDigest = `${reference.repository}@${reference.digest ?? sha256(`manifest ${reference.canonical}`)}`;
    this.byName.set(reference.canonical, image);
    this.onChange();
    return image;
  }

  remove(name: string): boolean {
    const reference = parseReference(name);
    const image = this.byName.get(reference.canonical);
    if (!image) return false;
    this.byName.delete(reference.canonical);
    image.names = image.names.filter(n => n !== reference.canonical);
    this.onChange();
    return true;
  }

  /** Fetches from a registry; rejects with a PullError in containerd's words. */
  async pull(name: string, signal: AbortSignal): Promise<PullResult> {
    const reference = parseReference(name);
    const asked = this.clock.now();
    // Whoever wants an image that is on its way waits for the same download.
    const underWay = this.downloads.get(reference.canonical);
    if (underWay) {
      const image = await underWay;
      const now = this.clock.now();
      return { image, tookMs: now - asked, totalMs: now - asked };
    }
    const download = this.fetch(name, reference, asked, signal);
    const shared = download.then(result => result.image);
    shared.catch(() => undefined);
    this.downloads.set(reference.canonical, shared);
    try {
      return await download;
    } finally {
      this.downloads.delete(reference.canonical);
    }
  }

  private async fetch(
    name: string,
    reference: ImageReference,
    asked: number,
    signal: AbortSignal,
  ): Promise<PullResult> {
    if (this.running >= PARALLEL_PULLS) await new Promise<void>(resolve => this.waiting.push(resolve));
    this.running++;
    try {
      const started = this.clock.now();
      const size = this.available(reference);
      if (size === undefined) {
        await this.clock.sleep(PULL_BASE_MS, signal);
        throw new PullError(this.refusal(reference));
      }
      await this.clock.sleep(PULL_BASE_MS + Math.round(size / PULL_BYTES_PER_MS), signal);
      const image = this.load(name, size, { fromRegistry: true });
      const now = this.clock.now();
      return { image, tookMs: now - started, totalMs: now - asked };
    } finally {
      this.running--;
      this.waiting.shift()?.();
    }
  }

  private refusal(reference: ImageReference): string {
    const { canonical, domain, path, repository } = reference;
    const prefix = `failed to pull and unpack image "${canonical}": failed to resolve reference "${canonical}": `;
    if (!REGISTRIES.has(domain)) {
      const host = domain.replace(/:\d+$/, '');
      const manifest = `https://${domain}/v2/${path}/manifests/${reference.digest ?? reference.tag}`;
      if (/^\d+\.\d+\.\d+\.\d+$/.test(host) || host === 'localhost')
        return `${prefix}failed to do request: Head "${manifest}": dial tcp ${host === 'localhost' ? '127.0.0.1' : host}:${domain.split(':')[1] ?? '443'}: connect: connection refused`;
      return `${prefix}failed to do request: Head "${manifest}": dial tcp: lookup ${host} on 192.168.49.1:53: no such host`;
    }
    if (domain === 'docker.io' && !this.knownRepository(repository))
      return `${prefix}pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`;
    return `${prefix}${canonical}: not found`;
  }

  serialise(): StoredImage[] {
    return structuredClone(this.list());
  }

  restore(images: StoredImage[]): void {
    this.byName.clear();
    for (const image of structuredClone(images)) for (const name of image.names) this.byName.set(name, image);
    this.onChange();
  }
}
