export function newEnough(version: string): boolean;
export function findNode(root: string): Promise<string>;
