// The images of one node: what is present, and how pulling goes. Knows no pods and no registry's rules.

import type { Clock } from '../../clock.ts';
import { type ImageReference, InvalidReference, parseReference } from '../programs/index.ts';
import { sha256 } from './digest.ts';
import { type Login, PullError, type Registries } from './registries.ts';

export { PullError } from './registries.ts';

/** Asking the registry which image a name means, fetching its manifest, and how fast layers arrive. */
const RESOLVE_MS = 50;
const MANIFEST_MS = 150;
const PULL_BYTES_PER_MS = 2_000_000;
/** An image on the disk against its size as pulled: layers compress to about 40 %. */
const UNPACKED = 3.5;
/** The runtime keeps the image of its sandboxes. */
const SANDBOX = 'registry.k8s.io/pause:';

export interface StoredImage {
  /** `sha256:…`, the image's own id. */
  id: string;
  /** References that lead to it, canonical. */
  names: string[];
  sizeBytes: number;
  /** `repository@sha256:…` when it came from a registry; a loaded image has none. */
  repoDigest?: string;
  /** Who pulled it, when that took a login: whoever has another must ask the registry again. */
  pulledBy?: string[];
}

export interface PullResult {
  image: StoredImage;
  /** Milliseconds: the pull itself, and with waiting for its turn. */
  tookMs: number;
  totalMs: number;
}

const keyOf = ({ username, password }: Login) => sha256(`login ${username} ${password}`);

export class NodeImages {
  private readonly byName = new Map<string, StoredImage>();
  /** The end of the last pull that was asked for. */
  private line: Promise<void> = Promise.resolve();
  private readonly clock: Clock;
  private readonly registries: Registries;
  private readonly onChange: () => void;

  constructor(services: { clock: Clock; registries: Registries; onChange?: () => void }) {
    this.clock = services.clock;
    this.registries = services.registries;
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

  /** What they take on the disk: as they came, and unpacked. */
  diskBytes(): number {
    return this.list().reduce((sum, image) => sum + image.sizeBytes * UNPACKED, 0);
  }

  /** Removes those that nobody uses; `used` are references as pods write them. */
  prune(used: ReadonlySet<string>): void {
    const kept = new Set([...used].map(name => this.find(name)));
    for (const image of this.list())
      if (!kept.has(image) && !image.names.some(name => name.startsWith(SANDBOX)))
        for (const name of [...image.names]) this.remove(name);
  }

  /** Whether a pod with these logins may use what is present without asking the registry. */
  isOpenTo(image: StoredImage, logins: readonly Login[]): boolean {
    return !image.pulledBy || logins.some(login => image.pulledBy!.includes(keyOf(login)));
  }

  /** Fetches from a registry, with one login after the other; rejects with a PullError in containerd's words. */
  async pull(name: string, logins: readonly Login[], signal: AbortSignal): Promise<PullResult> {
    if (logins.length === 0) return this.pullAs(name, undefined, signal);
    const refusals: string[] = [];
    for (const login of logins) {
      try {
        return await this.pullAs(name, login, signal);
      } catch (error) {
        if (!(error instanceof PullError)) throw error;
        if (!refusals.includes(error.message)) refusals.push(error.message);
      }
    }
    throw new PullError(refusals.length === 1 ? refusals[0] : `[${refusals.join(', ')}]`);
  }

  /** Pulls follow one another, as by a kubelet's default: who comes later finds what an earlier one brought. */
  private async pullAs(name: string, login: Login | undefined, signal: AbortSignal): Promise<PullResult> {
    const reference = parseReference(name);
    const asked = this.clock.now();
    const before = this.line;
    let done = () => {};
    this.line = new Promise<void>(resolve => {
      done = resolve;
    });
    try {
      await before;
      const started = this.clock.now();
      const image = await this.fetch(name, reference, login, signal);
      const now = this.clock.now();
      return { image, tookMs: now - started, totalMs: now - asked };
    } finally {
      done();
    }
  }

  private async fetch(
    name: string,
    reference: ImageReference,
    login: Login | undefined,
    signal: AbortSignal,
  ): Promise<StoredImage> {
    // What is on the disk already is only compared with the registry's digest.
    const present = this.byName.get(reference.canonical)?.repoDigest !== undefined;
    let size: number;
    try {
      size = this.registries.resolve(reference, login);
      if (!present) this.registries.grant(reference, login);
    } catch (error) {
      await this.clock.sleep(RESOLVE_MS, signal);
      throw error;
    }
    await this.clock.sleep(RESOLVE_MS, signal);
    if (!present) await this.clock.sleep(MANIFEST_MS + Math.round(size / PULL_BYTES_PER_MS), signal);
    const image = this.load(name, size, { fromRegistry: true });
    if (!login) delete image.pulledBy;
    else if (!present || image.pulledBy)
      image.pulledBy = [...new Set([...(image.pulledBy ?? []), keyOf(login)])];
    return image;
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
