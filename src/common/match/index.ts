export * from './check-tree.ts';
export { compare } from './compare.ts';
export * from './match.ts';
export { patternProblem, searchPattern } from './pattern.ts';
