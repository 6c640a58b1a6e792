// Talks HTTP to the local server: what it can do, opening a session, fetching kubectl. Knows no DOM.

import type { OpenAnswer, OpenRequest, ServerStatus } from '#common/protocol/session.ts';

/** A header that no other site can send without CORS, which the server never grants. */
const HEADERS = { 'content-type': 'application/json', 'x-kubeflow-by-doing': '1' };

export type Reach =
  | { kind: 'live'; status: ServerStatus }
  /** Built pages on any host: no server behind them. */
  | { kind: 'reading' }
  /** A server is there, but this browser holds no token. */
  | { kind: 'no-token' };

export async function reachServer(): Promise<Reach> {
  try {
    const response = await fetch('/api/status', { headers: { 'x-kubeflow-by-doing': '1' } });
    if (response.status === 401 || response.status === 403) return { kind: 'no-token' };
    if (!response.ok || !response.headers.get('content-type')?.includes('json')) return { kind: 'reading' };
    return { kind: 'live', status: (await response.json()) as ServerStatus };
  } catch {
    return { kind: 'reading' };
  }
}

/** Throws when the server cannot be reached; every refusal it words itself comes back as an answer. */
export async function openSession(request: OpenRequest): Promise<OpenAnswer> {
  const response = await fetch('/api/session', {
    method: 'POST',
    headers: HEADERS,
    body: JSON.stringify(request),
  });
  if (!response.headers.get('content-type')?.includes('json'))
    throw new Error(`${response.status} ${response.statusText}`);
  return (await response.json()) as OpenAnswer;
}

/** Asks the server to fetch the official kubectl; the answer says how far it is, and `/api/status` goes on saying so. */
export async function fetchKubectl(): Promise<ServerStatus> {
  const response = await fetch('/api/kubectl/fetch', { method: 'POST', headers: HEADERS, body: '{}' });
  if (!response.headers.get('content-type')?.includes('json'))
    throw new Error(`${response.status} ${response.statusText}`);
  return (await response.json()) as ServerStatus;
}
