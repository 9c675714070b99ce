import { arithmeticRules } from './arithmetic.js';
import { atomicRules } from './atomics.js';
import { callRules } from './calls.js';
import { jumpRules } from './jumps.js';
import { memoryRules } from './memory.js';
import type { Rules } from './rule.js';

/** One rule for each operation. */
export const rules: Rules = new Map([...arithmeticRules, ...jumpRules, ...memoryRules, ...atomicRules, ...callRules]);
