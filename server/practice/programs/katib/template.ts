// Katib's trial template: the object a trial runs, with the values of its parameters in place. Knows no cluster.

import type { KubeObject } from '../../../kube/index.ts';
import { KatibError } from './kinds.ts';
import type { NamedValue } from './messages.ts';

/** The text that stands for a parameter. */
export const placeholder = (name: string) => `\${trialParameters.${name}}`;
export const PLACEHOLDERS = /\$\{trialParameters\.[^{}]+\}/g;

/** Throws in Katib's words when a parameter has no value. */
export function runSpecOf(
  experiment: KubeObject,
  name: string,
  assignments: readonly NamedValue[],
): KubeObject {
  const { trialSpec, trialParameters } = experiment['spec'].trialTemplate;
  const values = new Map(assignments.map(assignment => [assignment.name, assignment.value]));
  let text = JSON.stringify(trialSpec);
  for (const parameter of trialParameters as { name: string; reference: string }[]) {
    const value = values.get(parameter.reference);
    if (value === undefined) {
      const found = [...values].map(([known, held]) => `${known}:${held}`).join(' ');
      throw new KatibError(
        `Unable to find parameter: ${parameter.reference} in parameter assignment map[${found}]`,
      );
    }
    text = text.replaceAll(placeholder(parameter.name), JSON.stringify(value).slice(1, -1));
  }
  const { metadata = {}, ...rest } = JSON.parse(text);
  return { ...rest, metadata: { ...metadata, name, namespace: experiment.metadata.namespace } };
}
