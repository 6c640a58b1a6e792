// Decides who may come in: pure functions over a request's method, address and headers. Knows no sockets and no routes.
//
// Every line exists because a product of this kind was broken without it: any web page can send requests to a loopback port,
// a name can be rebound to 127.0.0.1, and a WebSocket upgrade does not ask for permission as fetch does.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** What a request is judged by. */
export interface Knock {
  method: string;
  /** As it came: path and query, never an absolute URL. */
  url: string;
  headers: IncomingHttpHeaders;
}

export interface House {
  port: number;
  /** The secret this run put into its cookie. */
  secret: string;
}

export interface Refusal {
  status: 400 | 401 | 403 | 404 | 405 | 415;
  reason: string;
}

/** The custom header of JSON requests; a form or an image cannot send one, and fetch from elsewhere needs a preflight for it. */
const JSON_HEADER = 'x-kubeflow-by-doing';

/** Browsers share cookies between the ports of a host, so each port needs a name of its own. */
export function cookieName(port: number): string {
  return `kubeflow-by-doing-${port}`;
}

export function cookieHeader(house: House): string {
  return `${cookieName(house.port)}=${house.secret}; Path=/; HttpOnly; SameSite=Strict`;
}

/** The names under which a loopback server may be addressed. A rebound DNS name is not among them. */
function allowedHosts(port: number): string[] {
  return [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`];
}

function hostRefused(knock: Knock, house: House): Refusal | undefined {
  const host = knock.headers.host?.toLowerCase();
  if (host !== undefined && allowedHosts(house.port).includes(host)) return undefined;
  return { status: 403, reason: 'This address is not one of this server.' };
}

/** Absolute and otherwise odd request targets are for proxies, which this server is not. */
function targetRefused(knock: Knock): Refusal | undefined {
  if (knock.url.startsWith('/') && !knock.url.startsWith('//') && !/[\x00-\x20\x7f\\]/.test(knock.url))
    return undefined;
  return { status: 400, reason: 'The request target is malformed.' };
}

/** On an upgrade: scheme, host and port exactly those of the page, which is the Host it was sent to. */
function originRefused(knock: Knock): Refusal | undefined {
  const { origin, host } = knock.headers;
  if (origin !== undefined && host !== undefined && origin.toLowerCase() === `http://${host.toLowerCase()}`)
    return undefined;
  return { status: 403, reason: 'This page is not one of this server.' };
}

/** An Origin that is sent must be right on plain requests too; a browser leaves it out of navigations and same-origin GETs. */
function strangeOriginRefused(knock: Knock): Refusal | undefined {
  return knock.headers.origin === undefined ? undefined : originRefused(knock);
}

/** What another site's page embeds (script, image, frame) is marked by the browser; a link that is followed is a navigation. */
function crossSiteRefused(knock: Knock): Refusal | undefined {
  const site = knock.headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return undefined;
  if (
    knock.method === 'GET' &&
    knock.headers['sec-fetch-mode'] === 'navigate' &&
    knock.headers['sec-fetch-dest'] === 'document'
  ) {
    return undefined;
  }
  return { status: 403, reason: 'Another site may not use this server.' };
}

export function cookieRefused(knock: Knock, house: House): Refusal | undefined {
  const name = cookieName(house.port);
  for (const part of (knock.headers.cookie ?? '').split(';')) {
    const [key, ...value] = part.trim().split('=');
    if (key === name && sameSecret(value.join('='), house.secret)) return undefined;
  }
  return { status: 401, reason: 'Open the URL that the server printed in your terminal.' };
}

/** A JSON request: POST, its content type, and the custom header. */
export function jsonRefused(knock: Knock): Refusal | undefined {
  if (knock.method !== 'POST') return { status: 405, reason: 'This address takes POST requests.' };
  const type = (knock.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') return { status: 415, reason: 'This address takes application/json.' };
  if (knock.headers[JSON_HEADER] !== '1')
    return { status: 403, reason: `The ${JSON_HEADER} header is missing.` };
  return undefined;
}

/** What every plain request must pass, the page without a cookie included. */
export function requestRefused(knock: Knock, house: House): Refusal | undefined {
  return (
    hostRefused(knock, house) ??
    targetRefused(knock) ??
    strangeOriginRefused(knock) ??
    crossSiteRefused(knock)
  );
}

/** What every upgrade must pass before anything else happens with it. */
export function upgradeRefused(knock: Knock, house: House): Refusal | undefined {
  return (
    (knock.method === 'GET'
      ? undefined
      : ({ status: 405, reason: 'An upgrade is a GET request.' } as const)) ??
    hostRefused(knock, house) ??
    targetRefused(knock) ??
    originRefused(knock) ??
    cookieRefused(knock, house)
  );
}

/** Compares without telling by its time how much was right. */
function sameSecret(given: string, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}
