// Which serving runtime fits a model, and the container that comes of both. Knows no cluster.

import type { KubeObject } from '../../../kube/index.ts';
import { SERVER } from './kinds.ts';

/** What stands in the way, in the words of the event and of the status. */
export class NoRuntime extends Error {
  readonly reason: string;
  readonly status: string;
  constructor(message: string, reason: string, status: string) {
    super(message);
    this.reason = reason;
    this.status = status;
  }
}

const NOT_SUPPORTED = 'NoSupportingRuntime';

/** The runtime that the model names, or the first that supports its format by itself; those of the namespace go first. */
export function runtimeFor(model: any, local: readonly KubeObject[], shared: readonly KubeObject[]): any {
  const { name, version } = model.modelFormat;
  const protocol: string = model.protocolVersion ?? 'v1';
  const all = [...local, ...shared];
  const supports = (runtime: KubeObject, automatically: boolean) =>
    (runtime['spec'].supportedModelFormats ?? []).find(
      (format: any) =>
        format.name === name &&
        (version === undefined || format.version === version) &&
        (!automatically || format.autoSelect),
    );
  if (model.runtime) {
    const named = all.find(({ metadata }) => metadata.name === model.runtime);
    if (!named)
      throw new NoRuntime(
        `No ServingRuntimes or ClusterServingRuntimes with the name: ${model.runtime}`,
        'RuntimeNotRecognized',
        'Waiting for runtime to become available',
      );
    if (named['spec'].disabled)
      throw new NoRuntime(
        `specified runtime ${model.runtime} is disabled`,
        'RuntimeDisabled',
        'Specified runtime is disabled',
      );
    if (!supports(named, false))
      throw new NoRuntime(
        `specified runtime ${model.runtime} does not support specified framework/version`,
        NOT_SUPPORTED,
        'Specified runtime does not support specified framework/version',
      );
    return named;
  }
  const priority = (runtime: KubeObject) => Number(supports(runtime, true)?.priority ?? 0);
  const fitting = (runtimes: readonly KubeObject[]) =>
    runtimes
      .filter(runtime => !runtime['spec'].disabled && supports(runtime, true))
      .filter(({ spec }: any) => (spec.protocolVersions ?? ['v1']).includes(protocol))
      .sort((a, b) => priority(b) - priority(a));
  const found = [...fitting(local), ...fitting(shared)][0];
  if (!found)
    throw new NoRuntime(
      `no runtime found to support predictor with model type: {${name} ${version ?? '<nil>'}}`,
      NOT_SUPPORTED,
      'No runtime found to support specified framework/version',
    );
  return found;
}

/** The fields of `model` that are not a container's. */
const OWN = ['modelFormat', 'runtime', 'runtimeVersion', 'protocolVersion', 'storage', 'storageUri'];

/** The runtime's container with what the InferenceService says on top; `{{.Name}}` becomes its name. */
export function containerFor(name: string, model: any, runtime: any): any {
  const base = (runtime.spec.containers ?? []).find((c: any) => c.name === SERVER) ?? {};
  const over = Object.fromEntries(Object.entries(model).filter(([key]) => !OWN.includes(key)));
  const merged = {
    ...base,
    ...over,
    name: SERVER,
    args: [...(base.args ?? []), ...((over['args'] as string[] | undefined) ?? [])],
    ...(model.runtimeVersion && { image: base.image.replace(/:[^:/]+$/, `:${model.runtimeVersion}`) }),
  };
  return JSON.parse(JSON.stringify(merged).replace(/\{\{\s*\.Name\s*\}\}/g, name));
}
