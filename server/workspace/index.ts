export { type Folder, inFile, inFolder, inNewFile, kindAt } from './folder.ts';
export { writeInHome } from './home-file.ts';
export { createKubectl, type Kubectl, type KubectlStatus } from './kubectl.ts';
export { probeSandbox } from './sandbox.ts';
export type * from './types.ts';
export { openWorkspace } from './workspace.ts';
