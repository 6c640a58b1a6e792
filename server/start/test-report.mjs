// A reporter for node --test: one line of JSON for each test that ended, so that whoever runs it need not read prose.

import { resolve } from 'node:path';

/** Output of one file kept for the report, in characters. */
const KEPT = 20_000;

export default async function* report(source) {
  const said = new Map();
  const keep = ({ file, message }) => {
    // As it was named on the command line; tests name it from the root of the file system.
    const path = resolve(file ?? '');
    said.set(path, ((said.get(path) ?? '') + message).slice(-KEPT));
  };
  for await (const { type, data } of source) {
    if (type === 'test:stdout' || type === 'test:stderr') keep(data);
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const { name, file, nesting, details, skip, todo } = data;
    const failed = type === 'test:fail' && todo === undefined;
    // A block of tests is not one itself, and fails with those in it; unless its own hooks fail.
    const block = details.type === 'suite' ? details.error?.failureType !== 'hookFailed' : false;
    const byPart = block || (failed && details.error?.failureType === 'subtestsFailed');
    const state = byPart
      ? 'block'
      : failed
        ? 'failed'
        : skip !== undefined || todo !== undefined
          ? 'skipped'
          : 'passed';
    const line = { name, file, nesting, state, ms: details.duration_ms };
    if (state === 'skipped') line.reason = String(skip || todo || 'no reason given');
    if (failed) {
      line.error = textOf(details.error);
      line.said = said.get(file);
    }
    yield `${JSON.stringify(line)}\n`;
  }
}

/** The runner wraps what was thrown; the cause is what the test said. */
function textOf(error) {
  const cause = error?.cause ?? error;
  if (cause === undefined || cause === null) return 'failed';
  return String(cause.stack ?? cause.message ?? cause);
}
