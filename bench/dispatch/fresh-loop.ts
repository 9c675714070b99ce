import type { Loop } from '../stopwatch.js';
import { keep } from './empty-call.js';

let loops = 0;

/**
 * Repeats `call`, an expression of `names` and the number `i`. V8 shares what it learnt of a call between functions of
 * the same source: each loop has a source of its own, as the code around a hook has, and what it calls is a constant of it.
 */
export function freshLoop(call: string, values: Readonly<Record<string, unknown>>): Loop {
  const source = `const { ${Object.keys(values).join(', ')} } = values;
  return (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += ${call};
    keep(sum); // ${loops++}
  }`;
  // oxlint-disable-next-line typescript/no-implied-eval -- see above
  return new Function('keep', 'values', source)(keep, values) as Loop;
}
