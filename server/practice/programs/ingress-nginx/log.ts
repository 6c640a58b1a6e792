// How the ingress controller and the nginx it drives write their lines. Knows no ingress.

import { klog } from '../operator/index.ts';
import type { Container } from '../types.ts';

/** The controller is not the container's first process: an init stands above it. */
const PID = '7';

/** One line of the controller: `logLine(c, 'I', 'nginx.go:273', '"Starting NGINX Ingress controller"')`. */
export function logLine(container: Container, level: 'I' | 'W' | 'E' | 'F', place: string, text: string) {
  container.logError(klog(container, level, place, text).replace(/ {7}1 /, `       ${PID} `));
}

/** A message with values as klog writes them: `"Found valid IngressClass" ingress="default/web"`. */
export const structured = (message: string, values: Record<string, unknown> = {}): string =>
  [
    JSON.stringify(message),
    ...Object.entries(values).map(([name, value]) => `${name}=${JSON.stringify(value)}`),
  ].join(' ');

/** `2026/11/24 07:00:00`, as nginx stamps its errors. */
export const errorStamp = ({ clock }: Container): string =>
  new Date(clock.now()).toISOString().slice(0, 19).replace('T', ' ').replaceAll('-', '/');

/** `24/Nov/2026:07:00:00 +0000`, as nginx stamps a request. */
export function accessStamp(ms: number): string {
  const at = new Date(ms);
  const day = String(at.getUTCDate()).padStart(2, '0');
  return `${day}/${at.toUTCString().slice(8, 11)}/${at.getUTCFullYear()}:${at.toISOString().slice(11, 19)} +0000`;
}

/** Go's words for something the local copies do not hold. */
export const missing = (key: string): string =>
  `no object matching key ${JSON.stringify(key)} in local store`;
