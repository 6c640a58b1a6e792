// KServe's programs: its managers, the storage initializer and a model server.

import type { Program } from '../types.ts';
import { localModel, manager } from './managers.ts';
import { storageInitializer } from './storage-initializer.ts';
import { xgbserver } from './xgbserver.ts';

export const kserve: readonly Program[] = [manager, localModel, storageInitializer, xgbserver];
