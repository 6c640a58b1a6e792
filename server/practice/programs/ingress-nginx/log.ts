// How the ingress controller writes its lines. Knows no ingress.

import { klog } from '../operator/index.ts';
import type { Container } from '../types.ts';

/** The controller is not the container's first process: an init stands above it. */
const PID = 7;

/** One line of the controller: `logLine(c, 'I', 'nginx.go:273', '"Starting NGINX Ingress controller"')`. */
export function logLine(container: Container, level: 'I' | 'W' | 'E' | 'F', place: string, text: string) {
  container.logError(klog(container, level, place, text, PID));
}

/** A message with values as klog writes them: `"Found valid IngressClass" ingress="default/web"`. */
export const structured = (message: string, values: Record<string, unknown> = {}): string =>
  [
    JSON.stringify(message),
    ...Object.entries(values).map(([name, value]) => `${name}=${JSON.stringify(value)}`),
  ].join(' ');

/** Go's words for something the local copies do not hold. */
export const missing = (key: string): string =>
  `no object matching key ${JSON.stringify(key)} in local store`;
