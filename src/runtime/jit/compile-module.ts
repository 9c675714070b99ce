import type { Executable } from '../executable.js';
import { Op } from '../interp/op.js';
import type { ProgramCode } from '../interp/predecode.js';
import type { Runtime } from '../runtime.js';
import { compileFunction } from './compile-function.js';
import type { ModuleListing } from './listing/module-listing.js';
import { isJumpOp } from './flow/flow-graph.js';
import { wordsType } from './lower/calls.js';
import type { ModulePlan } from './module-plan.js';
import { indexOfWord, stepAt, stepCount } from './step.js';
import { FunctionWriter } from './wasm/function-writer.js';
import { type FunctionType, ModuleWriter } from './wasm/module-writer.js';
import { ValType, Wasm } from './wasm/opcodes.js';

const { i32, i64 } = ValType;
const ENTRY_TYPE: FunctionType = { params: [i32, i32, i32], results: [i32] };
const SUBPROG_TYPE: FunctionType = { params: [i64, i64, i64, i64, i64, i32], results: [i64] };
/** Words of r1 to r4 and the frame of who calls back. */
const CALLBACK_TYPE: FunctionType = wordsType(4, 1);

/** Names of a module's imports and exports. */
export const ModuleName = {
  entry: 'entry',
  fault: 'fault',
  findReadable: 'readable',
  findWritable: 'writable',
  tailCall: 'tail_call',
  callNumber: 'call_number',
  packetLoad: 'packet_load',
  /** Followed by the index of a helper in the code's list. */
  helper: 'helper',
  /** Followed by the slot at which the subprogram begins. */
  callback: 'callback',
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
}

/** A module's bytes, and what must be prepared before its entry is called. */
export interface CompiledModule {
  readonly bytes: Uint8Array;
  readonly usesBudget: boolean;
  readonly usesFrames: boolean;
  readonly usesCpu: boolean;
  readonly usesWindows: boolean;
  /** Bytes that the context must have. */
  readonly contextNeed: number;
}

/** One WebAssembly function per BPF function, all of a program in one module. */
export function compileModule(input: CompileInput): CompiledModule {
  const { executable, code } = input;
  const used = usedOperations(code);
  const writer = new ModuleWriter();
  const imports = declareImports(writer, code, used);
  const subprogs = new Map<number, number>();
  for (const [i, { start }] of executable.subprogs.entries()) {
    const type = i === 0 ? ENTRY_TYPE : SUBPROG_TYPE;
    subprogs.set(indexOfWord(code.wordOfSlot[start]), writer.declare(type, i === 0 ? ModuleName.entry : undefined));
  }
  const plan: ModulePlan = {
    ...input,
    ...imports,
    subprogs,
    usesBudget: used.loops,
    usesCpu: false,
    usesWindows: false,
    contextNeed: 0,
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
    writer.define(writer.declare(CALLBACK_TYPE, `${ModuleName.callback}${start}`), callbackBody(target));
  }
  const bytes = writer.finish(!(input.runtime.memory.wasm.buffer instanceof ArrayBuffer));
  input.listing?.end(bytes);
  const { usesBudget, usesCpu, usesWindows, contextNeed } = plan;
  return { bytes, usesBudget, usesFrames: subprogs.size > 1, usesCpu, usesWindows, contextNeed };
}

interface Used {
  readonly operations: ReadonlySet<number>;
  readonly loops: boolean;
}

function usedOperations(code: ProgramCode): Used {
  const operations = new Set<number>();
  let loops = false;
  for (let index = 0; index < stepCount(code); index++) {
    const { op, x } = stepAt(code, index);
    operations.add(op);
    loops ||= op === Op.may_goto || (isJumpOp(op) && indexOfWord(x) <= index);
  }
  return { operations, loops };
}

type Imports = Pick<
  ModulePlan,
  'fault' | 'findReadable' | 'findWritable' | 'tailCall' | 'callNumber' | 'packetLoad' | 'helpers'
>;

function declareImports(writer: ModuleWriter, code: ProgramCode, { operations }: Used): Imports {
  const range = (from: number, to: number): boolean => [...operations].some((op) => op >= from && op <= to);
  const maybe = (wanted: boolean, name: string, type: FunctionType): number =>
    wanted ? writer.importFunction(name, type) : -1;
  const find = wordsType(2, 1);
  return {
    fault: writer.importFunction(ModuleName.fault, { params: [i32, i32], results: [] }),
    findReadable: maybe(range(Op.load8, Op.loadPacketPointer), ModuleName.findReadable, find),
    findWritable: maybe(
      range(Op.store8, Op.store64) || range(Op.atomic_add_u32, Op.cmpxchg_u64),
      ModuleName.findWritable,
      find,
    ),
    tailCall: maybe(operations.has(Op.tailCall), ModuleName.tailCall, wordsType(3, 1)),
    callNumber: maybe(operations.has(Op.callRegister), ModuleName.callNumber, {
      params: wordsType(5, 2).params,
      results: [],
    }),
    packetLoad: maybe(range(Op.ld_abs_u8, Op.ld_ind_u32), ModuleName.packetLoad, wordsType(1, 0)),
    helpers: code.helpers.map(({ args }, i) =>
      writer.importFunction(`${ModuleName.helper}${i}`, wordsType(args.length, 1)),
    ),
  };
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
