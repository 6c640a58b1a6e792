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

/** Throws when the server cannot be reached or finds a fault of its own; a refusal that it words comes back as an answer. */
export async function openSession(request: OpenRequest): Promise<OpenAnswer> {
  const answer = await post('/api/session', request);
  return answer as OpenAnswer;
}

/** Asks the server to fetch the official kubectl; the answer says how far it is, and `/api/status` goes on saying so. */
export async function fetchKubectl(): Promise<ServerStatus> {
  return (await post('/api/kubectl/fetch', {})) as ServerStatus;
}

async function post(path: string, body: object): Promise<unknown> {
  const response = await fetch(path, { method: 'POST', headers: HEADERS, body: JSON.stringify(body) });
  const json = response.headers.get('content-type')?.includes('json') ? await response.json() : undefined;
  if (!response.ok || json === undefined)
    throw new Error(
      (json as { error?: string } | undefined)?.error ?? `${response.status} ${response.statusText}`,
    );
  return json;
}
