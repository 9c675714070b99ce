import { BpfError } from '../base/index.js';
import { chooseEngine, createInterpreter, type Engine } from '../runtime/index.js';
import { UsageError } from './usage-error.js';

/** The engine of `--engine NAME`; without it the fastest to be had. */
export function engineOption(name: string | undefined): Engine {
  if (name === undefined) return chooseEngine().engine;
  if (name === 'interp') return createInterpreter();
  if (name === 'jit') return compiler();
  throw new UsageError(`--engine ${name}: there are jit and interp`);
}

/** Who asks for the compiler by name wants no other. */
function compiler(): Engine {
  const { engine, reason } = chooseEngine();
  if (reason === undefined) return engine;
  throw new BpfError('EOPNOTSUPP', `--engine jit: ${reason}`, { remedy: 'use --engine interp' });
}
