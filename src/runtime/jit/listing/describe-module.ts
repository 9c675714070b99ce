import { lineAt } from '../../check/index.js';
import type { Executable, LineInfo } from '../../executable.js';
import { disassembleInsn } from '../../isa/index.js';
import { readCode, type WasmInstruction } from '../wasm/code-reader.js';
import { type ModuleBody, readModule, type WasmModule } from '../wasm/module-reader.js';
import { identifiers } from './identifiers.js';
import type { FunctionListing, Mark, ModuleListing } from './module-listing.js';
import { type OperandNames, operandTexts } from './operand-texts.js';

/** What an instruction of compiled code was made for. */
export interface JitOrigin {
  /** Slot of the BPF instruction; undefined where there is none. */
  readonly slot: number | undefined;
  /** The kernel's text of that instruction, or what the code is for. */
  readonly text: string;
  readonly line: LineInfo | undefined;
}

/** One WebAssembly instruction of a function. */
export interface JitInsn {
  /** Offset in the module: what a WebAssembly stack trace shows. */
  readonly pc: number;
  readonly operation: string;
  readonly operands: readonly string[];
  /** Where code of another origin begins: which. Of several, all but the last one needed no code. */
  readonly origins: readonly JitOrigin[];
}

/** One function of a compiled module. */
export interface JitFunction extends ModuleBody {
  readonly name: string;
  /** How text refers to it: `$` and its name, made unique. */
  readonly id: string;
  /** The program it belongs to; undefined for what kscope adds. */
  readonly program: string | undefined;
  /** False where a loop has several entries: its blocks are then reached through a `br_table`. */
  readonly isStructured: boolean;
  /** Identifiers of parameters and other variables. */
  readonly localIds: readonly (string | undefined)[];
  readonly insns: readonly JitInsn[];
}

/** A compiled module, taken apart again. */
export interface JitModule extends WasmModule {
  /** Identifiers of functions, imported ones first. */
  readonly functionIds: readonly string[];
  readonly functions: readonly JitFunction[];
}

/** What `ModuleListing` has noted. */
export type Listings = Pick<ModuleListing, 'functions' | 'routines'>;

/** A module's bytes and what was noted while they were written, put together. */
export function describeModule(bytes: Uint8Array, listings: Listings): JitModule {
  const module = readModule(bytes);
  const byIndex = new Map(listings.functions.map((each) => [each.index, each]));
  const nameOf = ({ index }: ModuleBody): string =>
    byIndex.get(index)?.subprog.name ??
    listings.routines.get(index) ??
    module.exports.find((each) => each.kind === 'func' && each.index === index)?.name ??
    `f${index}`;
  const imported = module.imports.flatMap(({ kind, name }) => (kind === 'function' ? [name] : []));
  const functionIds = identifiers([...imported, ...module.functions.map(nameOf)]).map((id, i) => id ?? `${i}`);
  const functions = module.functions.map((body): JitFunction => {
    const listing = byIndex.get(body.index);
    const count = module.types[body.type].params.length + body.locals.length;
    const localIds = identifiers(Array.from({ length: count }, (_, local) => listing?.localNames.get(local)));
    const names: OperandNames = {
      local: (local) => localIds[local] ?? `${local}`,
      function: (index) => functionIds[index] ?? `${index}`,
    };
    return {
      ...body,
      name: nameOf(body),
      id: functionIds[body.index] ?? `${body.index}`,
      program: listing?.executable.name,
      isStructured: listing?.isStructured ?? true,
      localIds,
      insns: describeCode(readCode(module, body), names, body.start, listing),
    };
  });
  return { ...module, functionIds, functions };
}

/** Marks and instructions both go forward. */
function describeCode(
  code: readonly WasmInstruction[],
  names: OperandNames,
  start: number,
  listing: FunctionListing | undefined,
): JitInsn[] {
  let next = 0;
  return code.map((insn) => {
    const origins: JitOrigin[] = [];
    if (listing !== undefined) {
      const { marks, executable } = listing;
      for (; next < marks.length && start + marks[next].at <= insn.at; next++)
        origins.push(originOf(executable, marks[next]));
    }
    return { pc: insn.at, operation: insn.mnemonic.text, operands: operandTexts(insn, names), origins };
  });
}

function originOf({ insns, lines }: Executable, { of }: Mark): JitOrigin {
  if (typeof of === 'string') return { slot: undefined, text: of, line: undefined };
  return { slot: of, text: disassembleInsn(insns, of), line: lineAt(lines, of) };
}
