import { lineAt } from '../../check/index.js';
import type { Executable, LineInfo } from '../../executable.js';
import { formOps } from '../../interp/form-ops.js';
import { disassembleInsn } from '../../isa/index.js';
import type { Runtime } from '../../runtime.js';
import { createJitWith } from '../jit.js';
import { readCode, type WasmInstruction } from '../wasm/code-reader.js';
import { type ModuleBody, readModule, type WasmModule } from '../wasm/module-reader.js';
import { type FunctionListing, type Mark, ModuleListing } from './module-listing.js';

/** What an instruction of compiled code was made for. */
export interface JitOrigin {
  /** Slot of the BPF instruction; undefined where there is none. */
  readonly slot: number | undefined;
  /** The kernel's text of that instruction, or what the code is for. */
  readonly text: string;
  readonly line: LineInfo | undefined;
}

/** One WebAssembly instruction of a function. */
export interface JitInsn extends WasmInstruction {
  /** Where code of another origin begins: which. Of several, all but the last one needed no code. */
  readonly origins: readonly JitOrigin[];
}

/** One function of a compiled module. */
export interface JitFunction extends ModuleBody {
  readonly name: string;
  /** The program it belongs to; undefined for what kscope adds. */
  readonly program: string | undefined;
  /** False where a loop has several entries: its blocks are then reached through a `br_table`. */
  readonly isStructured: boolean;
  readonly localNames: ReadonlyMap<number, string>;
  readonly insns: readonly JitInsn[];
}

/** A compiled module, taken apart again. */
export interface JitModule extends WasmModule {
  readonly functions: readonly JitFunction[];
}

/**
 * Compiles a program as the JIT does for `runtime`, and says what its module is made of. Throws what compiling throws.
 */
export function describeJit(executable: Executable, runtime: Runtime): JitModule {
  const listing = new ModuleListing();
  createJitWith(formOps, {}, listing).instantiate(executable, runtime).dispose();
  const module = readModule(listing.bytes);
  const byIndex = new Map(listing.functions.map((each) => [each.index, each]));
  return { ...module, functions: module.functions.map((body) => describeFunction(module, body, byIndex)) };
}

function describeFunction(
  module: WasmModule,
  body: ModuleBody,
  listings: ReadonlyMap<number, FunctionListing>,
): JitFunction {
  const insns = readCode(module, body);
  const listing = listings.get(body.index);
  if (listing === undefined) {
    const name = module.exports.find(({ index }) => index === body.index)?.name ?? `function_${body.index}`;
    const plain = insns.map((insn) => ({ ...insn, origins: [] }));
    return { ...body, name, program: undefined, isStructured: true, localNames: new Map(), insns: plain };
  }
  const { executable, subprog, isStructured, localNames } = listing;
  return {
    ...body,
    name: subprog.name,
    program: executable.name,
    isStructured,
    localNames,
    insns: withOrigins(insns, body.start, listing),
  };
}

/** Marks and instructions both go forward. */
function withOrigins(insns: readonly WasmInstruction[], start: number, listing: FunctionListing): JitInsn[] {
  const { marks, executable } = listing;
  let next = 0;
  return insns.map((insn) => {
    const first = next;
    while (next < marks.length && start + marks[next].at <= insn.at) next++;
    return { ...insn, origins: marks.slice(first, next).map((mark) => originOf(executable, mark)) };
  });
}

function originOf({ insns, lines }: Executable, { of }: Mark): JitOrigin {
  if (typeof of === 'string') return { slot: undefined, text: of, line: undefined };
  return { slot: of, text: disassembleInsn(insns, of), line: lineAt(lines, of) };
}
