import { toHex } from '../base/index.js';
import { encodeInsns, type Insn } from '../runtime/index.js';
import type { CollectionSpec } from './collection-spec.js';
import type { LinkedProgram } from './link/linked-program.js';
import { Linker, type LinkOptions } from './link/linker.js';

/** One line of `prog dump linked --json`. */
export interface LinkedProgramRecord {
  readonly program: string;
  readonly section: string;
  readonly file: string;
  /** Wide loads of maps and data sections, whose descriptors are 0 in `insns`. */
  readonly maps: readonly { readonly insn: number; readonly map: string }[];
  /** Instruction slots in little-endian wire form, in hexadecimal. */
  readonly insns: string;
}

/** The instructions of every program of an object after linking, or of those named. */
export function dumpLinked(
  spec: CollectionSpec,
  file: string,
  options: LinkOptions & { readonly programs?: readonly string[] },
): LinkedProgramRecord[] {
  const linker = new Linker(spec, options);
  return spec.programs
    .filter((program) => options.programs?.includes(program.name) ?? true)
    .map((program) => toRecord(linker.link(program), file));
}

function toRecord(program: LinkedProgram, file: string): LinkedProgramRecord {
  const { name, section, mapReferences } = program;
  return { program: name, section, file, maps: mapReferences, insns: toHex(encodeInsns(withoutMapIndices(program))) };
}

function withoutMapIndices({ insns, mapReferences }: LinkedProgram): readonly Insn[] {
  const cleared = [...insns];
  for (const { insn } of mapReferences) cleared[insn] = { ...cleared[insn], imm: 0 };
  return cleared;
}
