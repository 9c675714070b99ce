import type { BpfRunCtx } from '../run-context.js';
import { RunObjects } from './run-objects.js';

/** What kernel functions have given this run to keep. */
export function objectsOf(run: BpfRunCtx): RunObjects {
  run.objects ??= new RunObjects();
  return run.objects;
}
