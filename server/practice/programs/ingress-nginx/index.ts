// ingress-nginx: the controller that makes Ingresses lead somewhere.

import type { Program } from '../types.ts';
import { controller } from './controller.ts';

export const ingressNginx: readonly Program[] = [controller];
