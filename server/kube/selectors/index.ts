// Label and field selectors. The folder's only door.

export * from './fields.ts';
export * from './labels.ts';
