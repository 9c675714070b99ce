import { arithmeticRules } from './arithmetic.js';
import { atomicRules } from './atomics.js';
import { callRules } from './calls.js';
import { jumpRules } from './jumps.js';
import { memoryRules } from './memory.js';
import type { Rule, Rules } from './rule.js';

const tables: readonly Rules[] = [arithmeticRules, jumpRules, memoryRules, atomicRules, callRules];

/** One rule for each operation, by its number. */
export const ruleOf: readonly (Rule | undefined)[] = inOrder(tables.flatMap((table) => [...table]));

function inOrder(rows: readonly (readonly [op: number, rule: Rule])[]): (Rule | undefined)[] {
  const byNumber = new Map(rows);
  return Array.from({ length: Math.max(...byNumber.keys()) + 1 }, (_, op) => byNumber.get(op));
}
