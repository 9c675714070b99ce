import { ByteCursor } from './byte-cursor.js';
import { isPrefix, type Mnemonic, mnemonics, prefixed } from './instructions.js';
import type { ModuleBody, WasmModule } from './module-reader.js';
import { NO_RESULT, ValType } from './opcodes.js';

/** One instruction of a function. */
export interface WasmInstruction {
  /** Offset in the module. */
  readonly at: number;
  readonly mnemonic: Mnemonic;
  /**
   * Numbers behind the opcode: labels, indexes, a constant, or offset and log2 of the alignment of an access. A block's
   * is the code of its result's type, or nothing.
   */
  readonly operands: readonly bigint[];
}

/** The instructions of a function, its final `end` left out. An opcode that is not in the table is an EINVAL. */
export function readCode({ bytes }: WasmModule, { start, end }: ModuleBody): WasmInstruction[] {
  const cursor = new ByteCursor(bytes, start, end);
  const instructions: WasmInstruction[] = [];
  while (!cursor.done) {
    const { at } = cursor;
    const code = readOpcode(cursor);
    const mnemonic = mnemonics.get(code);
    if (mnemonic === undefined) return cursor.fail(`there is no instruction 0x${code.toString(16)} here`, at);
    instructions.push({ at, mnemonic, operands: readOperands(cursor, mnemonic) });
  }
  if (instructions.at(-1)?.mnemonic.text !== 'end') cursor.fail('a function does not end in an end');
  return instructions.slice(0, -1);
}

function readOpcode(from: ByteCursor): number {
  const code = from.byte();
  return isPrefix(code) ? prefixed(code, from.byte()) : code;
}

function readOperands(from: ByteCursor, { text, immediates }: Mnemonic): bigint[] {
  const index = (): bigint => BigInt(from.unsigned());
  switch (immediates) {
    case 'none':
      return [];
    case 'block':
      return readBlockType(from);
    case 'label':
    case 'function':
    case 'local':
      return [index()];
    case 'labels':
      return [...from.vector(index), index()];
    case 'indirect':
      return [index(), index()];
    case 'memory':
      return [index(), index()].toReversed();
    case 'memories':
      for (let left = text === 'memory.copy' ? 2 : 1; left > 0; left--) onlyMemory(from);
      return [];
    case 'i32':
      return [from.signed(32)];
    default:
      return [from.signed(64)];
  }
}

/** The number of a memory: there is one. */
function onlyMemory(from: ByteCursor): void {
  const { at } = from;
  const number = from.unsigned();
  if (number !== 0) from.fail(`there is no memory ${number}`, at);
}

function readBlockType(from: ByteCursor): bigint[] {
  const code = from.byte();
  if (code === NO_RESULT) return [];
  if (code === ValType.i32 || code === ValType.i64) return [BigInt(code)];
  return from.fail(`there is no block of type 0x${code.toString(16)} here`, from.at - 1);
}
