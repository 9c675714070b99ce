import type { Executable } from '../executable.js';
import { hitGuard } from '../hit-guard.js';
import type { ProgramCode } from '../interp/predecode.js';
import type { Runtime } from '../runtime.js';
import { compileFunction } from './compile-function.js';
import { BATCH_TYPE, batchBody } from './lower/batch.js';
import type { ModuleListing } from './listing/module-listing.js';
import type { ModulePlan } from './module-plan.js';
import { ModuleRoutines } from './module-routines.js';
import type { OutsideCalls } from './outside-calls.js';
import { OutsideUses } from './outside-function.js';
import { indexOfWord } from './step.js';
import { FunctionWriter } from './wasm/function-writer.js';
import { type FunctionType, ModuleWriter } from './wasm/module-writer.js';
import { ValType, Wasm } from './wasm/opcodes.js';

const { i32, i64 } = ValType;
const ENTRY_TYPE: FunctionType = { params: [i32, i32, i32], results: [i32] };
const SUBPROG_TYPE: FunctionType = { params: [i64, i64, i64, i64, i64, i32], results: [i64] };
/** Words of r1 to r4 and the frame of who calls back. */
const CALLBACK_TYPE: FunctionType = { params: Array.from({ length: 9 }, () => i32), results: [i32] };

/** Names of a module's exports; programs by their place in the module. */
export const ModuleName = {
  /** Functions outside the module. */
  table: 'table',
  entry: (program: number): string => `entry${program}`,
  /** Of closed programs at hooks: `CompiledProgram.batch`. */
  batch: (program: number): string => `batch${program}`,
  /** The subprogram that begins at `slot`, for helpers that call back. */
  callback: (program: number, slot: number): string => `callback${program}_${slot}`,
} as const;

export interface CompileInput {
  readonly executable: Executable;
  readonly code: ProgramCode;
  readonly runtime: Runtime;
  /** Offset of the program's state area. */
  readonly state: number;
  readonly assumeProved: boolean;
  readonly trustContext: boolean;
  /** Takes notes, if anybody wants to read the module. */
  readonly listing?: ModuleListing | undefined;
  /** The number that the program passes with calls out of the module. */
  readonly program: number;
  readonly outside: OutsideCalls;
}

/** A module that can be instantiated. */
export interface CompiledModule {
  readonly bytes: Uint8Array;
  /** What belongs in the module's table. */
  readonly uses: OutsideUses;
  /** In the order in which they were given. */
  readonly programs: readonly ProgramNeeds[];
}

/** What must be prepared before a program's entry is called. */
export interface ProgramNeeds {
  readonly usesBudget: boolean;
  readonly usesFrames: boolean;
  readonly usesCpu: boolean;
  readonly usesWindows: boolean;
  readonly usesAttachment: boolean;
  readonly usesContext: boolean;
  /** Hits need no run context. */
  readonly isClosed: boolean;
  /** Some run may have to stop. */
  readonly mayStop: boolean;
  /** r0's high word is 0 and not left anywhere. */
  readonly returnsWord: boolean;
  /** Bytes that the context must have. */
  readonly contextNeed: number;
  /** Bytes of it that hits may look at. */
  readonly contextUse: number;
}

/** One WebAssembly function per BPF function, those of all programs in one module. */
export function compileModule(inputs: readonly CompileInput[], memory: 'shared' | 'unshared'): CompiledModule {
  const writer = new ModuleWriter(memory);
  const uses = new OutsideUses();
  const routines = new ModuleRoutines(writer, inputs[0].listing);
  const programs = inputs.map((input, number) => compileProgram({ writer, uses, routines }, input, number));
  if (uses.size > 0) writer.table(uses.size, ModuleName.table);
  const bytes = writer.finish();
  inputs[0].listing?.end(bytes);
  return { bytes, uses, programs };
}

/** What the programs of a module share. */
interface Shared {
  readonly writer: ModuleWriter;
  readonly uses: OutsideUses;
  readonly routines: ModuleRoutines;
}

function compileProgram({ writer, uses, routines }: Shared, input: CompileInput, number: number): ProgramNeeds {
  const { executable, code } = input;
  const subprogs = new Map<number, number>();
  for (const [i, { start }] of executable.subprogs.entries()) {
    const index = i === 0 ? writer.declare(ENTRY_TYPE, ModuleName.entry(number)) : writer.declare(SUBPROG_TYPE);
    subprogs.set(indexOfWord(code.wordOfSlot[start]), index);
  }
  // Written out: an object made by spreading another costs more than all else here, and so does each look at it.
  const plan: ModulePlan = {
    executable,
    code,
    runtime: input.runtime,
    state: input.state,
    assumeProved: input.assumeProved,
    trustContext: input.trustContext,
    listing: input.listing,
    program: input.program,
    outside: input.outside,
    uses,
    routines,
    typeIndex: (type) => writer.typeIndex(type),
    subprogs,
    usesBudget: false,
    usesCpu: false,
    usesWindows: false,
    contextNeed: 0,
    needsRun: false,
    mayStop: false,
    returnsWord: false,
    usesAttachment: false,
    usesContext: false,
  };
  for (const subprog of executable.subprogs) {
    const entry = indexOfWord(code.wordOfSlot[subprog.start]);
    const index = subprogs.get(entry) ?? -1;
    plan.listing?.begin(index, executable, subprog);
    writer.define(index, compileFunction(plan, entry, entry === 0));
  }
  for (const { start, isCallback } of executable.subprogs) {
    const target = subprogs.get(indexOfWord(code.wordOfSlot[start]));
    if (!isCallback || target === undefined) continue;
    writer.define(writer.declare(CALLBACK_TYPE, ModuleName.callback(number, start)), callbackBody(target));
  }
  if (!plan.needsRun && hitGuard(executable.type) !== undefined) addBatch(writer, subprogs.get(0) ?? -1, number);
  const { usesBudget, usesCpu, usesWindows, usesAttachment, usesContext, contextNeed, mayStop, returnsWord } = plan;
  const usesFrames = subprogs.size > 1;
  return {
    usesBudget,
    usesFrames,
    usesCpu,
    usesWindows,
    usesAttachment,
    usesContext,
    contextNeed,
    mayStop,
    returnsWord,
    isClosed: !plan.needsRun,
    contextUse: looksAtKnownBytes(plan) ? contextNeed : Infinity,
  };
}

/** Whether all that is not known of the program's accesses is what has been counted in `contextNeed`. */
function looksAtKnownBytes({ needsRun, usesWindows, assumeProved, executable }: ModulePlan): boolean {
  return !needsRun && !usesWindows && !assumeProved && executable.facts === undefined;
}

function addBatch(writer: ModuleWriter, entry: number, number: number): void {
  writer.define(writer.declare(BATCH_TYPE, ModuleName.batch(number)), batchBody(entry));
}

/** Puts words together and calls the subprogram; the low word of its result. */
function callbackBody(target: number): FunctionWriter {
  const w = new FunctionWriter(CALLBACK_TYPE.params.length);
  for (let r = 0; r < 4; r++) {
    w.get(2 * r);
    w.op(Wasm.i64ExtendI32U);
    w.get(2 * r + 1);
    w.op(Wasm.i64ExtendI32U);
    w.i64(32);
    w.op(Wasm.i64Shl, Wasm.i64Or);
  }
  w.i64(0);
  w.get(8);
  w.call(target);
  w.op(Wasm.i32WrapI64);
  return w;
}
