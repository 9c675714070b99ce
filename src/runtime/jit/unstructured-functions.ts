import { BpfError } from '../../base/index.js';
import type { Executable, Subprog } from '../executable.js';
import type { Helper } from '../helper/helper.js';
import { formOps } from '../interp/form-ops.js';
import { predecode, type ProgramCode } from '../interp/predecode.js';
import { dominators } from './flow/dominators.js';
import { flowGraph } from './flow/flow-graph.js';
import { indexOfWord } from './step.js';

/**
 * The functions of a program in which some loop has several entries. WebAssembly has no such loops: compiled code goes
 * to each block of these functions through a table, which costs them up to three times the time. Of a program that
 * cannot run there are none.
 */
export function unstructuredFunctions(executable: Executable, helpers: ReadonlyMap<number, Helper>): Subprog[] {
  const code = codeOf(executable, helpers);
  if (code === undefined) return [];
  return executable.subprogs.filter(
    ({ start }) => !dominators(flowGraph(code, indexOfWord(code.wordOfSlot[start]))).reducible,
  );
}

function codeOf(executable: Executable, helpers: ReadonlyMap<number, Helper>): ProgramCode | undefined {
  try {
    return predecode(executable, helpers, formOps);
  } catch (error) {
    if (error instanceof BpfError) return undefined;
    throw error;
  }
}
