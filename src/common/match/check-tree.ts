// Tells an author what is wrong with a match tree before anything is matched: unknown operators, wrong operands, bad patterns.

import { parseQuantity } from '../quantity/index.ts';
import { isObject, type MatchTree } from './match.ts';
import { patternProblem } from './pattern.ts';

export interface TreeProblem {
  /** Keys and indices from the root of the tree. */
  path: (string | number)[];
  /** What was found and the right form. */
  message: string;
}

/** Trees deeper than this are refused. */
const MAX_DEPTH = 40;
const ORDER = ['$gt', '$gte', '$lt', '$lte'];
const OPERATORS = [
  '$exists',
  '$in',
  '$not',
  '$matches',
  ...ORDER,
  '$quantity',
  '$length',
  '$every',
  '$exactly',
];

/** Every problem of a tree; empty when it can be used. */
export function treeProblems(tree: MatchTree, path: (string | number)[] = []): TreeProblem[] {
  if (path.length > MAX_DEPTH) return [{ path, message: `is nested deeper than ${MAX_DEPTH} levels` }];
  if (Array.isArray(tree)) return tree.flatMap((element, index) => treeProblems(element, [...path, index]));
  if (!isObject(tree)) return tree === undefined ? [{ path, message: 'is empty; write a value' }] : [];
  const keys = Object.keys(tree);
  const operators = keys.filter(key => key.startsWith('$'));
  if (operators.length > 0 && operators.length < keys.length) {
    return [{ path, message: `mixes operators (${operators.join(', ')}) with fields; keep them apart` }];
  }
  return keys.flatMap(key => {
    const value = tree[key];
    const here = [...path, key];
    return key.startsWith('$') ? operatorProblems(key, value, here) : treeProblems(value, here);
  });
}

function operatorProblems(key: string, value: unknown, path: (string | number)[]): TreeProblem[] {
  const wrong = (message: string): TreeProblem[] => [{ path, message }];
  if (!OPERATORS.includes(key)) return wrong(`is no operator; there are ${OPERATORS.join(' ')}`);
  if (key === '$exists') return typeof value === 'boolean' ? [] : wrong('wants true or false');
  if (key === '$in') {
    if (!Array.isArray(value) || value.length === 0)
      return wrong('wants a list of choices: $in: [Running, Succeeded]');
    return treeProblems(value, path);
  }
  if (key === '$matches') {
    if (typeof value !== 'string') return wrong('wants a regular expression as text');
    const problem = patternProblem(value);
    return problem ? wrong(problem) : [];
  }
  if (ORDER.includes(key)) {
    return typeof value === 'number'
      ? []
      : wrong('wants a number; for 500m or 4Gi write $quantity: { $gte: 500m }');
  }
  if (key === '$quantity') return quantityProblems(value, path);
  if (key === '$length' && typeof value !== 'number' && !isObject(value))
    return wrong('wants a number or { $gte: 1 }');
  return treeProblems(value, path);
}

function quantityProblems(value: unknown, path: (string | number)[]): TreeProblem[] {
  const form = 'wants a quantity (500m, 4Gi) or bounds: { $gte: 500m, $lt: 1 }';
  if (!isObject(value)) return parseQuantity(value) ? [] : [{ path, message: form }];
  return Object.entries(value).flatMap(([key, bound]) =>
    ORDER.includes(key) && parseQuantity(bound) ? [] : [{ path: [...path, key], message: form }],
  );
}
