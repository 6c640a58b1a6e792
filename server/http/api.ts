// The JSON addresses: what is there, open a lab, fetch kubectl. Translates; decides nothing.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { OpenRequest, ServerStatus } from '#common/protocol/index.ts';
import type { Sessions } from '../session/index.ts';
import { jsonRefused } from './gate.ts';
import { parseJson, readBody, send } from './json.ts';
import { MAX_BODY } from './limits.ts';
import { answerProgress, type ProgressPart } from './progress-api.ts';

export interface ApiParts {
  sessions: Sessions;
  status: () => Promise<ServerStatus>;
  fetchKubectl: () => void;
  progress: ProgressPart;
}

const openRequest = z.strictObject({
  lab: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
  cluster: z.strictObject({
    kind: z.enum(['practice', 'minikube']),
    profile: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/)
      .optional(),
  }),
  language: z.enum(['zh-TW', 'en']),
  consent: z.boolean().optional(),
}) satisfies z.ZodType<OpenRequest>;

export async function answerApi(
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  parts: ApiParts,
): Promise<void> {
  try {
    if (path === '/api/status' && request.method === 'GET') return send(response, 200, await parts.status());
    if (path === '/api/progress' || path.startsWith('/api/progress/'))
      return await answerProgress(path, request, response, parts.progress);
    if (path !== '/api/session' && path !== '/api/kubectl/fetch')
      return send(response, 404, { error: 'There is nothing here.' });
    const refusal = jsonRefused({ method: request.method ?? '', url: path, headers: request.headers });
    if (refusal) return send(response, refusal.status, { error: refusal.reason });
    const body = await readBody(request, MAX_BODY);
    if (body === undefined) return send(response, 413, { error: `A request may have ${MAX_BODY} bytes.` });
    const parsed = parseJson(body);
    if (path === '/api/kubectl/fetch') {
      parts.fetchKubectl();
      return send(response, 202, await parts.status());
    }
    const open = openRequest.safeParse(parsed);
    if (!open.success) return send(response, 400, { error: z.prettifyError(open.error) });
    return send(response, 200, await parts.sessions.open(open.data));
  } catch (error) {
    // Anything that arrives here is a fault of ours: whole in the log, one calm line to the page.
    console.error(error);
    if (!response.headersSent)
      send(response, 500, {
        error: 'Something went wrong on our side; the terminal of the server says what.',
      });
  }
}
