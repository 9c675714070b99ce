import type { WasmInstruction } from '../wasm/code-reader.js';
import { ValType } from '../wasm/opcodes.js';

/** Identifiers of a module, `$` in front; what has none is shown by its number. */
export interface OperandNames {
  local(index: number): string;
  function(index: number): string;
}

/** An instruction's operands in WebAssembly's text format. */
export function operandTexts({ mnemonic, operands }: WasmInstruction, names: OperandNames): string[] {
  const [first = 0n, second = 0n] = operands;
  switch (mnemonic.immediates) {
    case 'block':
      return operands.map((type) => `(result ${typeText(Number(type))})`);
    case 'local':
      return [names.local(Number(first))];
    case 'function':
      return [names.function(Number(first))];
    case 'indirect':
      return [...(second === 0n ? [] : [`${second}`]), `(type ${first})`];
    case 'memory':
      return [
        ...(first === 0n ? [] : [`offset=${first}`]),
        ...(Number(second) === mnemonic.naturalAlign ? [] : [`align=${2 ** Number(second)}`]),
      ];
    default:
      return operands.map(String);
  }
}

export function typeText(type: number): string {
  return type === ValType.i32 ? 'i32' : 'i64';
}
