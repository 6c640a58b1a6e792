export * from './check-tree.ts';
export * from './match.ts';
export { patternProblem, searchPattern } from './pattern.ts';
