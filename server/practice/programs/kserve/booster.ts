// An XGBoost model in its JSON form: read as far as it is understood, and asked. Linear boosters and trees, for regression and
// for yes or no. Knows no server.

export class ModelError extends Error {}

export interface Booster {
  features: number;
  /** One row to one prediction; `NaN` is a missing value. */
  predict(row: readonly number[]): number;
}

interface Tree {
  left_children: number[];
  right_children: number[];
  split_indices: number[];
  split_conditions: number[];
  default_left: (number | boolean)[];
}

const round = Math.fround;

/** Reads a model file; throws a ModelError that names what is beyond it. */
export function readBooster(text: string): Booster {
  let learner: any;
  try {
    learner = JSON.parse(text).learner;
  } catch (error) {
    throw new ModelError(`Invalid JSON: ${error instanceof Error ? error.message : error}`);
  }
  const part = (name: string) => {
    if (learner?.[name] === undefined) throw new ModelError(`key '${name}' not found in the model's learner`);
    return learner[name];
  };
  const parameters = part('learner_model_param');
  const objective: string = part('objective').name;
  const { name, model } = part('gradient_booster');
  const features = Number(parameters.num_feature);
  const base = Number(parameters.base_score);
  const logistic = objective === 'binary:logistic';
  if (!logistic && objective !== 'reg:squarederror')
    throw new ModelError(`this practice cluster does not know the objective ${objective}`);
  if (name !== 'gblinear' && name !== 'gbtree')
    throw new ModelError(`this practice cluster does not know the booster ${name}`);
  const margin = logistic ? -Math.log(1 / base - 1) : base;
  const sum = name === 'gblinear' ? linear(model, features) : trees(model);
  return {
    features,
    predict(row) {
      const whole = round(margin + sum(row));
      return logistic ? round(1 / (1 + Math.exp(-whole))) : whole;
    },
  };
}

/** One weight a feature, and the bias at the end. */
function linear({ weights }: { weights: number[] }, features: number): (row: readonly number[]) => number {
  if (weights?.length !== features + 1)
    throw new ModelError(`the model has ${weights?.length} weights for ${features} features and a bias`);
  return row =>
    row.reduce(
      (total, value, at) => (Number.isNaN(value) ? total : round(total + round(value) * round(weights[at]!))),
      round(weights[features]!),
    );
}

function trees({ trees: all }: { trees: Tree[] }): (row: readonly number[]) => number {
  return row => all.reduce((total, tree) => round(total + leaf(tree, row)), 0);
}

/** A leaf keeps its value where an inner node keeps its condition. */
function leaf(tree: Tree, row: readonly number[]): number {
  let at = 0;
  while (tree.left_children[at] !== -1) {
    const value = row[tree.split_indices[at]!] ?? Number.NaN;
    const left = Number.isNaN(value)
      ? Boolean(tree.default_left[at])
      : round(value) < round(tree.split_conditions[at]!);
    at = (left ? tree.left_children : tree.right_children)[at]!;
  }
  return tree.split_conditions[at]!;
}
