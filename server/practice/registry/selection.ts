// Which objects a list or watch is about: label and field selectors, with upstream's refusals. Knows no storage.

import type { KubeObject } from '../../kube/index.ts';
import { badRequest } from '../../kube/index.ts';
import { parseFieldSelector, parseLabelSelector, SelectorError } from '../../kube/selectors/index.ts';
import type { ResourceDefinition } from '../resources/types.ts';

export type Selection = (object: KubeObject) => boolean;

/** Undefined when everything is selected. */
export function selectionOf(
  definition: ResourceDefinition,
  request: { labelSelector?: string; fieldSelector?: string },
): Selection | undefined {
  const tests: Selection[] = [];
  if (request.labelSelector) {
    const text = request.labelSelector;
    const selector = refuseSelectorErrors(() => parseLabelSelector(text));
    tests.push(object => selector.matches(object.metadata.labels ?? {}));
  }
  if (request.fieldSelector) {
    const text = request.fieldSelector;
    for (const { field, operator, value } of refuseSelectorErrors(() => parseFieldSelector(text))) {
      const read = fieldReader(definition, field);
      tests.push(object => (read(object) === value) === (operator !== '!='));
    }
  }
  if (tests.length === 0) return undefined;
  return object => tests.every(holds => holds(object));
}

function fieldReader(definition: ResourceDefinition, field: string): (object: KubeObject) => string {
  if (field === 'metadata.name') return object => object.metadata.name;
  if (field === 'metadata.namespace' && definition.namespaced)
    return object => object.metadata.namespace ?? '';
  const own = definition.selectableFields?.[field];
  if (own) return own;
  if (definition.selectableFields) throw badRequest(`field label not supported: ${field}`);
  throw badRequest(`"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`);
}

function refuseSelectorErrors<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof SelectorError) throw badRequest(error.message);
    throw error;
  }
}
