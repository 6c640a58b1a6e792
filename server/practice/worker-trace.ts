// Names the lines that were written in a stack trace of code that was put into one file. Knows nothing of errors.

import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const PLACE = /file:\/\/[^\s()]+\/code-[^\s()]+?\.mjs:\d+:\d+/g;

/** The trace with each place in a made file replaced by the place it was made from; where that is not known it stays. */
export function asWritten(trace: string): string {
  return trace.replaceAll(PLACE, place => {
    const [, url = '', line, column] = /^(.*):(\d+):(\d+)$/.exec(place) ?? [];
    try {
      const file = fileURLToPath(url);
      const map = new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')));
      const origin = map.findOrigin(Number(line), Number(column));
      if (!('fileName' in origin)) return place;
      return `${resolve(dirname(file), origin.fileName)}:${origin.lineNumber}:${origin.columnNumber}`;
    } catch {
      return place;
    }
  });
}
