// Talks HTTP to the local server: what it can do, opening a session, fetching kubectl. Knows no DOM.

import type { ForgetRequest, ProgressOverview } from '#common/protocol/progress.ts';
import type { OpenAnswer, OpenRequest, ServerStatus } from '#common/protocol/session.ts';
import { fromRoot } from './root.ts';

/** A header that no other site can send without CORS, which the server never grants. */
const HEADERS = { 'content-type': 'application/json', 'x-kubeflow-by-doing': '1' };

export type Reach = { kind: 'live'; status: ServerStatus } | NoReach;

type NoReach =
  /** Built pages on any host: no server behind them. */
  | { kind: 'reading' }
  /** A server is there, but this browser holds no token. */
  | { kind: 'no-token' };

export async function reachServer(): Promise<Reach> {
  const answer = await read('status');
  return 'kind' in answer ? answer : { kind: 'live', status: answer.json as ServerStatus };
}

export async function readProgress(): Promise<NoReach | { kind: 'live'; overview: ProgressOverview }> {
  const answer = await read('progress');
  return 'kind' in answer ? answer : { kind: 'live', overview: answer.json as ProgressOverview };
}

export const exportProgress = () => post('/api/progress/export', {});

/** `file` is the text of an exported file; what is none is refused by the server with a sentence. */
export const importProgress = async (file: string) =>
  (await post('/api/progress/import', file)) as ProgressOverview;

export const forgetProgress = async (what: ForgetRequest) =>
  (await post('/api/progress/forget', what)) as ProgressOverview;

/** Any other host answers with the files of these names, whose kind says that nobody is behind them. */
async function read(what: 'status' | 'progress'): Promise<NoReach | { json: unknown }> {
  try {
    const response = await fetch(fromRoot(`api/${what}`), { headers: { 'x-kubeflow-by-doing': '1' } });
    if (response.status === 401 || response.status === 403) return { kind: 'no-token' };
    if (!response.ok || !response.headers.get('content-type')?.includes('json')) return { kind: 'reading' };
    return { json: await response.json() };
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

/** A string is sent as it is. */
async function post(path: string, body: object | string): Promise<unknown> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(path, { method: 'POST', headers: HEADERS, body: text });
  const json = response.headers.get('content-type')?.includes('json') ? await response.json() : undefined;
  if (!response.ok || json === undefined)
    throw new Error(
      (json as { error?: string } | undefined)?.error ?? `${response.status} ${response.statusText}`,
    );
  return json;
}
