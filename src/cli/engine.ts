import { createInterpreter, type Engine } from '../runtime/index.js';
import { UsageError } from './usage-error.js';

/** The engine of `--engine NAME`. */
export function engineOption(name = 'interp'): Engine {
  if (name !== 'interp')
    throw new UsageError(`--engine ${name}: this build has the interpreter only (--engine interp)`);
  return createInterpreter();
}
