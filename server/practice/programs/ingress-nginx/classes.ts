// Which Ingresses are this controller's. Pure.

import type { KubeObject } from '../../../kube/index.ts';
import { missing } from './log.ts';

const ANNOTATION = 'kubernetes.io/ingress.class';

export interface ClassRules {
  /** `spec.controller` of the classes that are its own. */
  controller: string;
  /** What the older annotation must say. */
  annotation: string;
  /** Ingresses without any class are taken as well. */
  withoutClass: boolean;
  /** It may not read classes: only the annotation counts. */
  ignoreClasses: boolean;
}

/** The class by which an Ingress is the controller's, or why it is not. */
export function classOf(
  ingress: KubeObject,
  classes: readonly KubeObject[],
  rules: ClassRules,
): { name: string } | { error: string } {
  const name: string | undefined = ingress['spec']?.ingressClassName;
  if (!rules.ignoreClasses && name !== undefined) {
    const found = classes.find(({ metadata }) => metadata.name === name);
    return found?.['spec']?.controller === rules.controller ? { name } : { error: missing(name) };
  }
  const annotated = ingress.metadata.annotations?.[ANNOTATION];
  if (annotated !== undefined)
    return annotated === rules.annotation
      ? { name: annotated }
      : { error: 'ingress class annotation is not equal to the expected by Ingress Controller' };
  return rules.withoutClass ? { name: '_' } : { error: 'ingress does not contain a valid IngressClass' };
}
