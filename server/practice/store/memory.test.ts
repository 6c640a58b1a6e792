import { storeContract } from './contract.ts';
import { createMemoryStore } from './memory.ts';

storeContract('memory', logLength =>
  createMemoryStore(logLength === undefined ? { freeze: true } : { freeze: true, logLength }),
);
