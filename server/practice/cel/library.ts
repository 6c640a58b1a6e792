// CEL with the functions that Kubernetes adds to it. Knows which libraries there are, not what is in them.

import { Environment } from '@marcbachmann/cel-js';
import { guardPatterns } from '../../kube/index.ts';
import { registerAddresses } from './addresses.ts';
import { registerAuthorizer } from './authorizer.ts';
import { registerFormats } from './formats.ts';
import { registerQuantities } from './quantities.ts';
import { registerValues } from './values.ts';
import { registerVersions } from './versions.ts';

/** CEL's standard environment with all of them. */
export function extended(options: {
  homogeneousAggregateLiterals: boolean;
  /** Absent: any name is a variable. */
  variables?: readonly string[];
}): Environment {
  const { variables, homogeneousAggregateLiterals } = options;
  const env = new Environment({
    unlistedVariablesAreDyn: variables === undefined,
    enableOptionalTypes: true,
    homogeneousAggregateLiterals,
  });
  // `matches` is the library's own.
  guardPatterns();
  for (const name of variables ?? []) env.registerVariable(name, 'dyn');
  registerAuthorizer(env);
  registerValues(env);
  registerQuantities(env);
  registerAddresses(env);
  registerVersions(env);
  registerFormats(env);
  return env.registerFunction('jsonpatchEscapeKey(string): string', (key: string) =>
    key.replaceAll('~', '~0').replaceAll('/', '~1'),
  );
}
