// absent: no such object is there. What is being deleted still is there.

import type { KindSpec } from '#common/lab/index.ts';
import { match } from '#common/match/index.ts';
import type { CheckKind, Verdict } from '../types.ts';
import { nameObject, say } from '../words.ts';

export const absent: CheckKind<KindSpec<'absent'>> = {
  name: 'absent',
  latches: false,

  async run({ ref, match: tree = {} }, { kube }): Promise<Verdict> {
    const found = (await kube.list(ref)).filter(object => match(tree, object).length === 0);
    const [first] = found;
    if (!first) return { state: 'holds' };
    const name = nameObject(first.kind ? first : { ...first, kind: ref.kind });
    const more = found.length - 1;
    return {
      state: 'wrong',
      said: say(
        `${name} 還在${more > 0 ? `，另有 ${more} 個` : ''}。`,
        `${name} is still there${more > 0 ? `, and ${more} more` : ''}.`,
      ),
      findings: [{ path: '', expected: '<none>', actual: name }],
      seen: first,
    };
  },

  watch: ({ ref }, { kube }, changed) => kube.watch(ref, changed),
};
