// CEL as the API server evaluates it. Knows no objects' shapes.

export { type Ask, authorizerValue, type Question } from './authorizer.ts';
export { type CompileProblem, compileProblem, type Expected } from './check.ts';
export { celError, celValue, compile, type Program } from './compile.ts';
export { compileMutation, jsonValue } from './mutation.ts';
