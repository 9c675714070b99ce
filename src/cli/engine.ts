import { createInterpreter, createJit, type Engine } from '../runtime/index.js';
import { UsageError } from './usage-error.js';

/** The engine of `--engine NAME`. */
export function engineOption(name = 'interp'): Engine {
  if (name === 'interp') return createInterpreter();
  if (name === 'jit') return createJit();
  throw new UsageError(`--engine ${name}: there are interp (the default) and jit`);
}
