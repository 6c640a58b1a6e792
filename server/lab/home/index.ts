export { type KeptHome, keepHome } from './keep.ts';
export { putBackHome } from './put-back.ts';
