import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/**
 * Collects all garbage. Not for between samples: V8 throws optimised code away with it, and what is measured next is
 * a process that is cold.
 */
export const collectGarbage = runInNewContext('gc') as () => void;
