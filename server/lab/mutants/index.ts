// Wrong end states made from a right one, family by family. A checker that lets one through is too loose. Touches neither the cluster
// nor the learner's files.

import type { Check, KindName, StepDefinition } from '#common/lab/index.ts';
import { type CheckContext, kindOf } from '../../check/index.ts';
import { accessMutants } from './access.ts';
import { fileMutants } from './file.ts';
import { httpMutants } from './http.ts';
import { objectMutants } from './objects.ts';
import type { Mutant } from './types.ts';

export { everything, unneeded } from './undone.ts';

/** Kinds that see the same wrong state, and how such states are made from one of their checks. */
const FAMILIES: { kinds: readonly KindName[]; mutants(check: Check): Mutant[] }[] = [
  { kinds: ['resource', 'absent'], mutants: objectMutants },
  { kinds: ['access'], mutants: accessMutants },
  { kinds: ['http'], mutants: httpMutants },
  { kinds: ['file'], mutants: fileMutants },
];

/** What the checks of a step that passes should have refused and did not, as sentences; and how many wrong states were tried. */
export async function survivors(
  step: StepDefinition,
  context: CheckContext,
): Promise<{ tried: number; survived: string[] }> {
  const survived: string[] = [];
  let tried = 0;
  for (const { kinds, mutants } of FAMILIES) {
    const judged = step.checks.filter(({ kind }) => kinds.includes(kind));
    for (const check of judged) {
      if (check.lenient !== undefined) continue;
      for (const mutant of mutants(check)) {
        tried++;
        try {
          const wrong = await mutant.see(context);
          const verdicts = await Promise.all(
            judged.map(other =>
              kindOf(other.kind)
                .run(other.spec, wrong)
                .catch(() => ({ state: 'could-not-look' })),
            ),
          );
          if (verdicts.every(({ state }) => state === 'holds'))
            survived.push(`${check.id} still holds ${mutant.what}`);
        } finally {
          await mutant.done?.();
        }
      }
    }
  }
  return { tried, survived };
}
