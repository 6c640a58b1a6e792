// file: a file in the learner's home folder looks as asked. Reads below that folder only.

import { constants, watch as watchFolder } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { KindSpec } from '#common/lab/index.ts';
import { closest, isObject, isOperator } from '#common/match/index.ts';
import type { CheckKind, Verdict } from '../types.ts';
import { nameFindings, say } from '../words.ts';

type Spec = KindSpec<'file'>;

/** Larger files are not read, in bytes. */
const MAX_SIZE = 1024 * 1024;
/** Editors write in several steps; a burst is looked at once. Milliseconds. */
const SETTLE = 50;
/** File systems keep times more coarsely than clocks. Milliseconds. */
const CLOCK_STEP = 10;
/** Where watching a folder does not work, it is looked at this often. Milliseconds. */
const LOOK_AGAIN = 1000;

export const file: CheckKind<Spec> = {
  name: 'file',
  latches: false,

  async run(spec, { home, since }): Promise<Verdict> {
    const text = await read(home, spec.path, since);
    if (text === undefined)
      return {
        state: 'not-yet',
        said: say(`還沒有檔案 ${spec.path}。`, `There is no file ${spec.path} yet.`),
      };
    if (text === 'outside')
      return {
        state: 'wrong',
        said: say(`${spec.path} 指向家目錄外面。`, `${spec.path} leads outside the home folder.`),
      };
    if (text === 'large')
      return { state: 'wrong', said: say(`${spec.path} 太大了。`, `${spec.path} is too large.`) };
    const { content } = text;
    if (spec.contains !== undefined && !content.includes(spec.contains)) {
      return {
        state: 'wrong',
        said: say(
          `${spec.path} 裡沒有「${spec.contains}」。`,
          `${spec.path} does not contain "${spec.contains}".`,
        ),
        findings: [{ path: spec.path, expected: spec.contains, actual: content.slice(0, 80) }],
      };
    }
    const holds: Verdict = { state: 'holds', said: say(spec.path, spec.path) };
    if (spec.match === undefined) return holds;
    const parsed = parse(spec, content);
    if ('problem' in parsed)
      return {
        state: 'wrong',
        said: say(
          `${spec.path} 讀不懂：${parsed.problem}`,
          `${spec.path} cannot be parsed: ${parsed.problem}`,
        ),
      };
    const best = closest(spec.match, parsed.documents);
    if (!best) return { state: 'wrong', said: say(`${spec.path} 是空的。`, `${spec.path} is empty.`) };
    if (best.findings.length === 0) return holds;
    if (isObject(spec.match) && !isOperator(spec.match) && !isObject(best.value))
      return {
        state: 'wrong',
        said: say(
          `${spec.path} 裡是一般的文字，不是 YAML 或 JSON 寫的物件。`,
          `${spec.path} holds plain text and no object in YAML or JSON.`,
        ),
        seen: best.value,
      };
    const words = nameFindings(best.findings);
    return {
      state: 'wrong',
      said: say(`${spec.path}：${words['zh-TW']}。`, `${spec.path}: ${words.en}.`),
      findings: best.findings,
      seen: best.value,
    };
  },

  watch(spec, { home, clock }, changed) {
    let pending: { cancel(): void } | undefined;
    const soon = () => {
      pending?.cancel();
      pending = clock.after(SETTLE, changed);
    };
    const target = place(home, spec.path);
    try {
      // The folder, not the file: editors replace files, and the file may not be there yet.
      const watcher = watchFolder(dirname(target), soon);
      watcher.on('error', () => {});
      return () => {
        watcher.close();
        pending?.cancel();
      };
    } catch {
      let timer = clock.after(LOOK_AGAIN, function look() {
        changed();
        timer = clock.after(LOOK_AGAIN, look);
      });
      return () => timer.cancel();
    }
  },
};

const place = (home: string, path: string) => join(home, path.replace(/^~\//, ''));

async function read(
  home: string,
  path: string,
  since: number,
): Promise<{ content: string } | 'outside' | 'large' | undefined> {
  try {
    // A pipe that nobody writes to would hold up the server for good.
    const file = await open(place(home, path), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      // What is open now, not what has the name by now: whose shell this is may change that in between.
      const real = await realpath(
        process.platform === 'linux' ? `/proc/self/fd/${file.fd}` : place(home, path),
      );
      if (!real.startsWith((await realpath(home)) + sep)) return 'outside';
      const stat = await file.stat();
      // Left by an earlier attempt: as good as not there.
      if (!stat.isFile() || stat.mtimeMs + CLOCK_STEP < since) return undefined;
      return stat.size > MAX_SIZE ? 'large' : { content: await file.readFile('utf8') };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ENXIO'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}

function parse(spec: Spec, content: string): { documents: unknown[] } | { problem: string } {
  const format =
    spec.format ?? (/\.ya?ml$/.test(spec.path) ? 'yaml' : spec.path.endsWith('.json') ? 'json' : 'text');
  if (format === 'text') return { documents: [content] };
  try {
    if (format === 'json') return { documents: [JSON.parse(content)] };
    const documents = parseAllDocuments(content);
    const broken = [...documents].flatMap(document => document.errors)[0];
    if (broken) return { problem: broken.message.split('\n')[0] ?? '' };
    return { documents: [...documents].map(document => document.toJS()).filter(value => value !== null) };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}
