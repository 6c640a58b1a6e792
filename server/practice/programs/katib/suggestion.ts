// Katib's algorithm services, one pod an experiment: they decide the values of the next trials. Random and grid search; other
// algorithms are refused in the words of a service that does not know them. Knows no cluster.

import type { Random } from '../../../random.ts';
import { GRPC, GrpcError, healthMethods, serveGrpc } from '../../network/index.ts';
import { exitOf, untilAborted } from '../signals.ts';
import type { Container, Program } from '../types.ts';
import {
  answering,
  DISTRIBUTIONS,
  getSuggestions,
  type NamedValue,
  OBJECTIVE_TYPES,
  PARAMETER_TYPES,
  validateAlgorithmSettings,
} from './messages.ts';

const PORT = 6789;
const SERVICE = 'manager.v1beta1.Suggestion';
/** Python with its numerical libraries takes a while to load. */
const START_MS = 900;

interface Parameter {
  name: string;
  type: string;
  min: number;
  max: number;
  step: number | undefined;
  list: string[];
  distribution: string;
}

const parametersOf = (experiment: any): Parameter[] =>
  (experiment.spec.parameterSpecs?.parameters ?? []).map(({ name, parameterType, feasibleSpace }: any) => ({
    name,
    type: PARAMETER_TYPES[parameterType ?? 0] ?? '',
    min: Number(feasibleSpace?.min),
    max: Number(feasibleSpace?.max),
    step: feasibleSpace?.step ? Number(feasibleSpace.step) : undefined,
    list: feasibleSpace?.list ?? [],
    distribution: DISTRIBUTIONS[feasibleSpace?.distribution ?? 0] ?? '',
  }));

/** As Python prints it: a float that is whole keeps its `.0`. */
const shown = ({ type }: Parameter, value: number): string =>
  type === 'int' ? String(Math.round(value)) : Number.isInteger(value) ? `${value}.0` : String(value);

/** One value of a parameter, by its distribution; normal ones take the range as three deviations to each side. */
function drawn(parameter: Parameter, random: Random): string {
  const { type, step, list, distribution } = parameter;
  if (list.length > 0) return list[random.below(list.length)]!;
  const logarithmic = /^log/i.test(distribution);
  const [min, max] = [parameter.min, parameter.max].map(end => (logarithmic ? Math.log(end) : end)) as [
    number,
    number,
  ];
  if (type === 'int' && !step && !distribution.replace('uniform', ''))
    return String(min + random.below(max - min + 1));
  const share = /normal$/i.test(distribution) ? 0.5 + bell(random) / 6 : random.next();
  const scaled = min + share * (max - min);
  const value = logarithmic ? Math.exp(scaled) : scaled;
  return shown(parameter, step ? clean(Math.round(value / step) * step) : value);
}

/** A value of the standard normal distribution (Box and Muller). */
const bell = (random: Random) =>
  Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());

/** Every value of a parameter in a grid. */
function values(parameter: Parameter): string[] {
  const { type, min, max, list } = parameter;
  if (list.length > 0) return list;
  const step = parameter.step ?? (type === 'int' ? 1 : Number.NaN);
  const count = Math.floor(clean((max - min) / step)) + 1;
  return Array.from({ length: count }, (_, index) => shown(parameter, clean(min + index * step)));
}

/** Without the noise that binary fractions leave behind. */
const clean = (value: number) => Number(value.toPrecision(12));

type Assignments = NamedValue[];
const keyOf = (assignments: Assignments) => assignments.map(({ name, value }) => `${name}=${value}`).join();

const grid = (parameters: Parameter[]): Assignments[] =>
  parameters.reduce<Assignments[]>(
    (found, parameter) =>
      found.flatMap(before => values(parameter).map(value => [...before, { name: parameter.name, value }])),
    [[]],
  );

/** As the services print a parameter. */
const described = ({ name, type, min, max, step, list, distribution }: Parameter): string =>
  list.length > 0
    ? `HyperParameter(name: ${name}, type: ${type.toUpperCase()}, list: ${list.join(', ')})`
    : `HyperParameter(name: ${name}, type: ${type === 'int' ? 'INTEGER' : type.toUpperCase()}, min: ${min}, max: ${max}, step: ${step ?? (type === 'int' ? 1 : '')}, distribution: ${DISTRIBUTIONS.indexOf(distribution) || 'None'})`;

/** Sets of values that were proposed, and those whose trial has ended. */
interface History {
  proposed: Set<string>;
  measured: Set<string>;
}

interface Search {
  /** Refuses what it cannot search. */
  check(parameters: Parameter[], maxTrials: number): string | undefined;
  /** The next set of values; undefined when there are no more. */
  next(parameters: Parameter[], history: History, random: Random): Assignments | undefined;
}

const searches: Record<string, Search> = {
  random: {
    check: () => undefined,
    next: (parameters, _history, random) =>
      parameters.map(parameter => ({ name: parameter.name, value: drawn(parameter, random) })),
  },
  grid: {
    check(parameters, maxTrials) {
      const open = parameters.find(({ type, step }) => type === 'double' && !step);
      if (open)
        return `failed to validate parameters([${parameters.map(described).join(', ')}]): Param ${open.name} step is nil; For discrete search space, all parameters must include step`;
      const combinations = grid(parameters).length;
      if (maxTrials > combinations)
        return `Max Trial Count: ${maxTrials} > all possible search combinations: ${combinations}`;
      return undefined;
    },
    next(parameters, { proposed, measured }, random) {
      const points = grid(parameters);
      const without = (known: Set<string>) => points.filter(point => !known.has(keyOf(point)));
      // When all have been proposed, those again whose trial has not ended: it may never have been made.
      const fresh = without(proposed);
      const left = fresh.length > 0 ? fresh : without(measured);
      return left[random.below(left.length)];
    },
  },
};

function suggestionService(image: string, algorithms: readonly string[]): Program {
  return {
    image,
    async run(container: Container) {
      container.use({ cpuMillis: 4, memoryBytes: 96 * 1024 * 1024 });
      await container.clock.sleep(START_MS, container.signal);
      if (container.signal.aborted) return exitOf(container);
      const history: History = { proposed: new Set(), measured: new Set() };
      let told = false;
      const searchFor = (experiment: any): Search => {
        const name = experiment.spec.algorithm?.algorithmName ?? '';
        const search = algorithms.includes(name) ? searches[name] : undefined;
        if (!search) throw new GrpcError(GRPC.invalidArgument, `unknown algorithm name ${name}`);
        return search;
      };
      const methods = {
        ...healthMethods(['', SERVICE]),
        ...answering(validateAlgorithmSettings, ({ experiment }) => {
          const wrong = searchFor(experiment).check(
            parametersOf(experiment),
            experiment.spec.maxTrialCount ?? 0,
          );
          if (wrong) throw new GrpcError(GRPC.invalidArgument, wrong);
          return {};
        }),
        ...answering(getSuggestions, ({ experiment, trials, currentRequestNumber = 0 }) => {
          // A service that was started anew learns from the trials what it had proposed before.
          for (const { spec, status } of trials) {
            const key = keyOf(spec?.parameterAssignments?.assignments ?? []);
            history.proposed.add(key);
            if (status?.observation?.metrics?.length > 0) history.measured.add(key);
          }
          const parameters = parametersOf(experiment);
          if (!told)
            container.log(
              `HyperParameterSearchSpace(goal: ${goalOf(experiment)}, params: ${parameters.map(described).join(', ')})`,
            );
          told = true;
          const search = searchFor(experiment);
          const next: Assignments[] = [];
          while (next.length < currentRequestNumber) {
            const values = search.next(parameters, history, container.random);
            if (!values) break;
            history.proposed.add(keyOf(values));
            next.push(values);
          }
          return { parameterAssignments: next.map(assignments => ({ assignments })) };
        }),
      };
      container.listen(PORT, stream => serveGrpc(stream, methods));
      await untilAborted(container.signal);
      return exitOf(container);
    },
  };
}

const goalOf = (experiment: any): string =>
  (OBJECTIVE_TYPES[experiment.spec.objective?.type ?? 0] ?? '').toUpperCase();

export const suggestionServices: readonly Program[] = [
  suggestionService('ghcr.io/kubeflow/katib/suggestion-hyperopt', ['random']),
  suggestionService('ghcr.io/kubeflow/katib/suggestion-optuna', ['grid']),
];
