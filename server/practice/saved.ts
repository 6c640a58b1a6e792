// A cluster as bytes for a file, and back: what is stored, the nodes' disks and images, and the keys that make old certificates
// and tokens good again. Knows no files; whoever keeps the bytes sees to it that they come back whole.

import { createPrivateKey, createPublicKey } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { TokenKeys } from './registry/index.ts';
import type { Authority } from './rest/index.ts';
import type { StoreDump } from './store/index.ts';

/** Raise it when what is stored changes its shape: an older file is then refused instead of misread. */
const FORMAT = 1;

export interface SavedMoment {
  store: StoreDump;
  /** What `ClusterNodes.snapshot` gave. */
  nodes: unknown;
}

export interface SavedCluster extends SavedMoment {
  /** Snapshots that were kept with it; what did not change since is in the bytes once. */
  moments: SavedMoment[];
  authority: Authority;
  /** PEM. */
  tokenKey: string;
}

export function encodeCluster(cluster: SavedCluster): Uint8Array<ArrayBuffer> {
  return new Uint8Array(zstdCompressSync(serialize({ format: FORMAT, ...cluster })));
}

/** Throws with a sentence for what is no saved cluster of this version. */
export function decodeCluster(bytes: Uint8Array): SavedCluster {
  let read: (SavedCluster & { format: number }) | undefined;
  try {
    read = deserialize(zstdDecompressSync(bytes));
  } catch (error) {
    throw new Error(`these bytes are no saved cluster: ${(error as Error).message}`);
  }
  if (read?.format !== FORMAT)
    throw new Error(`this cluster was saved in format ${read?.format}; this version reads format ${FORMAT}`);
  return read;
}

export function tokenKeysFrom(pem: string): TokenKeys {
  const privateKey = createPrivateKey(pem);
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

export function tokenKeyText(keys: TokenKeys): string {
  return keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}
