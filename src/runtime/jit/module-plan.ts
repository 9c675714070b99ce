import type { Executable } from '../executable.js';
import type { ProgramCode } from '../interp/predecode.js';
import type { ModuleListing } from './listing/module-listing.js';
import type { Runtime } from '../runtime.js';
import type { ModuleRoutines } from './module-routines.js';
import type { OutsideCalls } from './outside-calls.js';
import type { OutsideUses } from './outside-function.js';
import type { FunctionType } from './wasm/module-writer.js';

/** What the functions of one module have in common while it is compiled. */
export interface ModulePlan {
  readonly executable: Executable;
  readonly runtime: Runtime;
  readonly code: ProgramCode;
  /** Offset of the program's state area. */
  readonly state: number;
  /** No access is checked. */
  readonly assumeProved: boolean;
  /** Accesses of the context at constant offsets are not checked: the run is refused if it is too short. */
  readonly trustContext: boolean;
  readonly listing?: ModuleListing | undefined;
  /** The number that the program passes with calls out of the module. */
  readonly program: number;
  readonly outside: OutsideCalls;
  /** Those of `outside` that the module calls. */
  readonly uses: OutsideUses;
  readonly routines: ModuleRoutines;
  /** The number of a type in the module. */
  typeIndex(type: FunctionType): number;
  /** Functions by their first predecoded instruction. */
  readonly subprogs: ReadonlyMap<number, number>;
  /** Set while functions are written: what the caller of the module must prepare. */
  usesBudget: boolean;
  usesCpu: boolean;
  /** Some access is compared with a window, or may end in the interpreter. */
  usesWindows: boolean;
  contextNeed: number;
  /**
   * It calls something outside other than to stop, or leaves something behind that `Runtime.leave` sees to: open
   * records, wake-ups.
   */
  needsRun: boolean;
  /** There is a reason to stop that code tests for. */
  mayStop: boolean;
  /** Nothing is left of r0's high word, since it is 0. */
  returnsWord: boolean;
  /** bpf_get_attach_cookie or bpf_get_func_ip is a load. */
  usesAttachment: boolean;
  /** Some pointer is compared with the context's. */
  usesContext: boolean;
}
