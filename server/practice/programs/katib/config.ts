// What katib-controller reads at its start: the KatibConfig in the file that --katib-config names. Knows no cluster.

import { flagOf } from '../flags.ts';
import type { Container } from '../types.ts';

export interface KatibConfig {
  /** `Job.v1.batch` */
  trialResources: string[];
  webhookPort: number;
  /** Each a container specification, by algorithm. */
  suggestions: Record<string, any>;
  /** By collector kind: image and resources. */
  metricsCollectors: Record<string, any>;
}

/** Throws an error in Go's words when there is no such file. */
export async function readConfig(container: Container): Promise<KatibConfig> {
  const path = flagOf(container, 'katib-config');
  const text = path && container.files.readText(path);
  if (!text) throw new Error(`open ${path ?? ''}: no such file or directory`);
  // Loaded by whoever runs Katib: every other cluster starts without.
  const { parse } = await import('yaml');
  const { init = {}, runtime = {} } = parse(text) ?? {};
  const by = (list: any[] | undefined, key: string) =>
    Object.fromEntries((list ?? []).map(({ [key]: name, ...more }) => [name, more]));
  return {
    trialResources: init.controller?.trialResources ?? ['Job.v1.batch'],
    webhookPort: init.controller?.webhookPort ?? 8443,
    suggestions: by(runtime.suggestions, 'algorithmName'),
    metricsCollectors: by(runtime.metricsCollectors, 'kind'),
  };
}
