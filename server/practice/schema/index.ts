// Schemas of the built-in kinds and what is done with them: decoding, defaults, pruning, OpenAPI. The folder's only door.

export { schemaStamp } from './build.ts';
export { decode, pruneUnknown, strictDecodingError, tryDecode } from './decode.ts';
export { applyDefaults } from './defaults.ts';
export { definition, definitionName, definitionNames, descriptionOf, schemaFor } from './load.ts';
export { checkPatched } from './patched.ts';
