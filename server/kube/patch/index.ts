// The four ways to change an object by a patch, and the records of who set what. The folder's only door.

export { serverSideApply, TypedError, trackUpdate } from './apply.ts';
export { jsonPatch, mergePatch, patchRejected } from './json.ts';
export { strategicMergePatch } from './strategic.ts';
export { mergeObjects as mergeConfiguration } from './typed.ts';
