// The JSON addresses of progress: look at it, take it away as one file, bring it back, forget it. Translates; decides nothing.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { ForgetRequest, LabProgress, ProgressOverview } from '#common/protocol/index.ts';
import { jsonRefused } from './gate.ts';
import { parseJson, readBody, send } from './json.ts';
import { MAX_BODY, MAX_IMPORT } from './limits.ts';

/** What these addresses need of the progress store. */
export interface ProgressPart {
  readonly problem?: ProgressOverview['problem'];
  overview(): LabProgress[];
  forget(lab?: string): void;
  export(): unknown;
  /** Throws with a sentence for what is no export, before anything is touched. */
  import(data: unknown): void;
}

const forgetRequest = z.strictObject({
  lab: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,63}$/)
    .optional(),
}) satisfies z.ZodType<ForgetRequest>;

const ROOT = '/api/progress';

export async function answerProgress(
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  progress: ProgressPart,
): Promise<void> {
  const overview = (): ProgressOverview => ({
    labs: progress.overview(),
    ...(progress.problem ? { problem: progress.problem } : {}),
  });
  if (path === ROOT && request.method === 'GET') return send(response, 200, overview());
  if (![`${ROOT}/export`, `${ROOT}/import`, `${ROOT}/forget`].includes(path))
    return send(response, 404, { error: 'There is nothing here.' });
  const refusal = jsonRefused({ method: request.method ?? '', url: path, headers: request.headers });
  if (refusal) return send(response, refusal.status, { error: refusal.reason });
  const most = path === `${ROOT}/import` ? MAX_IMPORT : MAX_BODY;
  const body = await readBody(request, most);
  if (body === undefined) return send(response, 413, { error: `A request may have ${most} bytes.` });
  const parsed = parseJson(body);
  if (path === `${ROOT}/export`) return send(response, 200, progress.export());
  if (path === `${ROOT}/forget`) {
    const forget = forgetRequest.safeParse(parsed);
    if (!forget.success) return send(response, 400, { error: z.prettifyError(forget.error) });
    progress.forget(forget.data.lab);
    return send(response, 200, overview());
  }
  if (parsed === undefined) return send(response, 400, { error: 'This file is not JSON.' });
  try {
    progress.import(parsed);
  } catch (error) {
    return send(response, 400, { error: error instanceof Error ? error.message : String(error) });
  }
  return send(response, 200, overview());
}
