// The image of one container: whether it is there, may be used, or must be pulled, and how long a failed pull waits.
// Knows no container's life; what is to be shown or tried again it tells its owner.

import { InvalidReference, parseReference } from '../programs/index.ts';
import { goDuration } from './container-setup.ts';
import { PullError, type StoredImage } from './images.ts';
import type { PodHost } from './pod-host.ts';
import type { PodWorld } from './pod-world.ts';
import { loginsFor } from './pull-secrets.ts';
import type { Login } from './registries.ts';

/** A failed pull waits this long, doubling. */
const BACKOFF_MS = { first: 10_000, last: 300_000 };
const SHOW_PULL_ERROR_MS = 3_000;

export interface ImageOwner {
  event(type: 'Normal' | 'Warning', reason: string, message: string): void;
  /** What the container waits for. */
  wait(reason: string, message: string): void;
  retryIn(ms: number): void;
  /** Again with the next round of the pod. */
  retryLater(): void;
}

export class ContainerImage {
  private readonly host: PodHost;
  private readonly world: PodWorld;
  private readonly owner: ImageOwner;
  private backoff: { ms: number; at: number } | undefined;
  private failure: string | undefined;

  constructor(host: PodHost, world: PodWorld, owner: ImageOwner) {
    this.host = host;
    this.world = world;
    this.owner = owner;
  }

  /** Another image is asked for: its pull has not failed yet. */
  forget(): void {
    this.backoff = undefined;
    this.failure = undefined;
  }

  /** The image, pulled when the policy says so; undefined when it is not to be had now, which the owner was told. */
  async obtain(name: string, policy: string): Promise<StoredImage | undefined> {
    const logins = await this.logins(name);
    if (!logins) return undefined;
    const present = this.host.images.find(name);
    const open = present && this.host.images.isOpenTo(present, logins);
    if (present && open && policy !== 'Always') {
      this.owner.event(
        'Normal',
        'Pulled',
        `Container image "${name}" already present on machine and can be accessed by the pod`,
      );
      return present;
    }
    if (policy !== 'Never') return this.pull(name, logins);
    const message = present
      ? `Container image "${name}" is present with pull policy of Never but does not have the proper credentials to access the image`
      : `Container image "${name}" is not present with pull policy of Never`;
    this.owner.event('Warning', 'ErrImageNeverPull', message);
    this.owner.event('Warning', 'Failed', 'Error: ErrImageNeverPull');
    this.owner.wait('ErrImageNeverPull', message);
    this.owner.retryLater();
    return undefined;
  }

  /** The pod's logins for this image; undefined when its name cannot be read. */
  private async logins(name: string): Promise<Login[] | undefined> {
    try {
      return loginsFor(parseReference(name), await this.world.pullSecrets());
    } catch (error) {
      if (!(error instanceof InvalidReference)) throw error;
      const message = `Failed to apply default image tag "${name}": couldn't parse image name "${name}": ${error.message}`;
      this.owner.event('Warning', 'InspectFailed', message);
      this.owner.event('Warning', 'Failed', 'Error: InvalidImageName');
      this.owner.wait('InvalidImageName', message);
      this.owner.retryLater();
      return undefined;
    }
  }

  private async pull(name: string, logins: Login[]): Promise<StoredImage | undefined> {
    const now = this.host.clock.now();
    const { owner, backoff } = this;
    if (backoff && this.failure !== undefined && now < backoff.at + backoff.ms) {
      owner.event('Normal', 'BackOff', `Back-off pulling image "${name}"`);
      owner.event('Warning', 'Failed', 'Error: ImagePullBackOff');
      owner.wait('ImagePullBackOff', `Back-off pulling image "${name}": ErrImagePull: ${this.failure}`);
      owner.retryIn(backoff.at + backoff.ms - now);
      return undefined;
    }
    owner.event('Normal', 'Pulling', `Pulling image "${name}"`);
    try {
      const { image, tookMs, totalMs } = await this.host.images.pull(
        name,
        logins,
        new AbortController().signal,
      );
      this.forget();
      owner.event(
        'Normal',
        'Pulled',
        `Successfully pulled image "${name}" in ${goDuration(tookMs)} (${goDuration(totalMs)} including waiting). Image size: ${image.sizeBytes} bytes.`,
      );
      return image;
    } catch (error) {
      if (!(error instanceof PullError)) throw error;
      owner.event('Warning', 'Failed', `Failed to pull image "${name}": ${error.message}`);
      owner.event('Warning', 'Failed', 'Error: ErrImagePull');
      owner.wait('ErrImagePull', error.message);
      this.failure = error.message;
      this.backoff = {
        ms: Math.min((backoff?.ms ?? BACKOFF_MS.first / 2) * 2, BACKOFF_MS.last),
        at: this.host.clock.now(),
      };
      owner.retryIn(SHOW_PULL_ERROR_MS);
      return undefined;
    }
  }
}
