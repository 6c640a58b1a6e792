// resource: an object looks as asked. Watches; knows no particular kind.

import type { KindSpec } from '#common/lab/index.ts';
import { closest, match } from '#common/match/index.ts';
import type { KubeObject } from '../../kube/index.ts';
import type { CheckKind, Verdict } from '../types.ts';
import { nameFindings, nameObject, nameRef, say, show } from '../words.ts';

export const resource: CheckKind<KindSpec<'resource'>> = {
  name: 'resource',
  latches: false,

  async run({ ref, match: tree = {}, every, count }, { kube }): Promise<Verdict> {
    const objects = await kube.list(ref);
    const meant = nameRef(ref);
    if (count !== undefined) {
      const matching = objects.filter(object => match(tree, object).length === 0);
      if (match(count, matching.length).length === 0)
        return {
          state: 'holds',
          said: say(`${meant['zh-TW']}：${matching.length}`, `${meant.en}: ${matching.length}`),
        };
      return {
        state: 'wrong',
        said: say(
          `${meant['zh-TW']}：符合的有 ${matching.length} 個，應為 ${show(count)}。`,
          `${meant.en}: ${matching.length} match, expected ${show(count)}.`,
        ),
        findings: [{ path: 'count', expected: show(count), actual: String(matching.length) }],
        seen: objects.find(object => !matching.includes(object)),
      };
    }
    if (objects.length === 0) {
      if (!(await kube.knows(ref))) {
        return {
          state: 'not-yet',
          said: say(
            `這個叢集還不認得 ${ref.kind} 這種資源。`,
            `This cluster does not know the kind ${ref.kind} yet.`,
          ),
        };
      }
      return {
        state: 'not-yet',
        said: say(`找不到${space(meant['zh-TW'])}。`, `There is no ${meant.en} yet.`),
      };
    }
    const failing = objects.filter(object => match(tree, object).length > 0);
    if (every ? failing.length === 0 : failing.length < objects.length) {
      const seen = objects.find(object => !failing.includes(object));
      return { state: 'holds', said: every || !seen ? meant : nameOf(seen, ref.kind), seen };
    }
    const best = closest(tree, failing);
    if (!best) return { state: 'not-yet' };
    const name = nameOf(best.value, ref.kind);
    const words = nameFindings(best.findings);
    return {
      state: 'wrong',
      said: say(`${name['zh-TW']}：${words['zh-TW']}。`, `${name.en}: ${words.en}.`),
      findings: best.findings,
      seen: best.value,
    };
  },

  watch: ({ ref }, { kube }, changed) => kube.watch(ref, changed),
};

/** Lists name the kind once for all of their objects. */
function nameOf(object: KubeObject, kind: string) {
  const name = nameObject(object.kind ? object : { ...object, kind });
  return say(name, name);
}

/** A space between Chinese and a Latin word. */
const space = (text: string) => (/^[A-Za-z]/.test(text) ? ` ${text}` : text);
