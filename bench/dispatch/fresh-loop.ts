import type { Loop } from '../stopwatch.js';
import { keep } from './empty-call.js';

let loops = 0;

/**
 * Repeats `call`, an expression of `names` and the number `i`. V8 shares what it learnt of a call between functions of
 * the same source: each loop has a source of its own, as the code around a hook has.
 */
export function freshLoop(call: string, values: Readonly<Record<string, unknown>>): Loop {
  const source = `return (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += ${call};
    keep(sum); // ${loops++}
  }`;
  // oxlint-disable-next-line typescript/no-implied-eval -- see above
  return new Function('keep', ...Object.keys(values), source)(keep, ...Object.values(values)) as Loop;
}
