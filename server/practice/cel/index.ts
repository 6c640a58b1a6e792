// CEL as the API server checks and evaluates it.

export { authorizerValue, type Question } from './authorizer.ts';
export { checkExpression, compileProblem, type Names, type ResultType } from './check.ts';
export { celError, celValue, compile, compileWithOptionalOld, type Program } from './compile.ts';
export { compileMutation, jsonValue } from './mutation.ts';
export { optionalValue, schemaValue } from './schema-values.ts';
export { declaredType, uniqueName } from './typing/declare.ts';
export { composing, policyNames, withVariable } from './typing/policy-names.ts';
export { type CelType, DYN, ERROR } from './typing/types.ts';
