// The attempt of a lab that cannot be read: everything is refused with the reason. Knows no cluster.

import { say } from '../check/index.ts';
import type { LabError } from './load.ts';
import type { Attempt, AttemptOptions } from './types.ts';

export function brokenAttempt(options: AttemptOptions, error: LabError): Attempt {
  const [first = ''] = error.problems;
  const note = say(
    `這個實作的定義有問題，不是你的錯：${first}`,
    `This lab is broken, which is not your doing: ${first}`,
  );
  const at = new Date(options.clock.now()).toISOString();
  return {
    view: () => ({
      lab: options.lab,
      title: say(options.lab, options.lab),
      minutes: 0,
      status: 'failed',
      note,
      startedAt: at,
      steps: [],
    }),
    subscribe: () => () => {},
    answer: async () => note,
    hint: () => {},
    rewind: async () => note,
    undo: async () => note,
    solution: async () => note,
    compare: async () => ({ loss: { objects: [], files: [] }, undo: false, problem: note }),
    reset: async () => {},
    close: async () => {},
    ready: Promise.resolve(),
  };
}
