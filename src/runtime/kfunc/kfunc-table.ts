import { bitsIteratorKfuncs } from './bits-iterator.js';
import { castKfuncs } from './cast-kfuncs.js';
import type { Kfunc } from './kfunc.js';
import { numIteratorKfuncs } from './num-iterator.js';
import { sectionKfuncs } from './section-kfuncs.js';
import { sessionKfuncs } from './session-kfuncs.js';
import { stringKfuncs } from './string-kfuncs.js';
import { taskIteratorKfuncs } from './task-iterator.js';
import { taskKfuncs } from './task-kfuncs.js';
import { userKfuncs } from './user-kfuncs.js';

/** The kernel functions that programs may call, by name. */
export const kfuncTable: ReadonlyMap<string, Kfunc> = new Map(
  [
    ...castKfuncs,
    ...sectionKfuncs,
    ...numIteratorKfuncs,
    ...bitsIteratorKfuncs,
    ...taskKfuncs,
    ...taskIteratorKfuncs,
    ...stringKfuncs,
    ...userKfuncs,
    ...sessionKfuncs,
  ].map((row) => [row.name, row]),
);
