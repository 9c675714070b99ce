import { expect } from 'vitest';
import { decodeRiscvInsn, RiscvInsn } from '../../../src/arch/index.js';
import type { ObjdumpInsn } from '../../oracle/objdump.js';
import { compareWithTool, type Comparison, type Decoded } from '../against-tool.js';
import { classOfText } from './class-of-text.js';

/** Arguments under which a disassembler shows each instruction by its own name. */
export const NO_ALIASES: readonly string[] = ['-M', 'no-aliases'];

const insn = new RiscvInsn();
const decode = (bytes: Uint8Array): Decoded => decodeRiscvInsn(bytes, 0, insn) ?? { length: 0, class: 'none' };

/** The decoder against a listing without aliases, of which `most` instructions are read. */
export function compareRiscv(listing: AsyncIterable<readonly ObjdumpInsn[]>, most?: number): Promise<Comparison> {
  return compareWithTool(listing, decode, classOfText, most);
}

/** At least so many instructions, a good part of them compressed, and not one that differs. */
export function expectNoDifferences(made: Comparison, atLeast: number): void {
  console.log(`${made.count} instructions, ${made.short} compressed, ${made.undecoded} the tool shows as bytes only`);
  expect(made.lengthDifferences).toEqual([]);
  expect(made.classDifferences).toEqual([]);
  expect(made.count).toBeGreaterThanOrEqual(atLeast);
  expect(made.short).toBeGreaterThan(made.count / 10);
}
