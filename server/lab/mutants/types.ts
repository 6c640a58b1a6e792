// One wrong end state, as a check would see it. Knows no kind of check.

import type { CheckContext } from '../../check/index.ts';

export interface Mutant {
  /** `with another spec.replicas`; continues "the check still holds". */
  what: string;
  /** The right state seen through the change. */
  see(context: CheckContext): Promise<CheckContext>;
  /** Takes away what `see` made. */
  done?(): Promise<void>;
}
