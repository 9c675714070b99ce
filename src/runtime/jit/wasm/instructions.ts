import { Wasm } from './opcodes.js';

/** What follows an opcode. */
export type Immediates =
  | 'none'
  | 'block'
  | 'label'
  | 'labels'
  | 'function'
  | 'indirect'
  | 'local'
  | 'memory'
  | 'i32'
  | 'i64';

/** An opcode as WebAssembly's text format has it. */
export interface Mnemonic {
  readonly text: string;
  readonly immediates: Immediates;
  /** log2 of the bytes that a memory access takes: the alignment that the text need not mention. */
  readonly naturalAlign: number;
}

const IMMEDIATES: Readonly<Record<string, Immediates>> = {
  block: 'block',
  loop: 'block',
  if: 'block',
  br: 'label',
  br_if: 'label',
  br_table: 'labels',
  call: 'function',
  call_indirect: 'indirect',
  'local.get': 'local',
  'local.set': 'local',
  'local.tee': 'local',
  'i32.const': 'i32',
  'i64.const': 'i64',
};

/** By opcode. */
export const mnemonics: ReadonlyMap<number, Mnemonic> = new Map(
  Object.entries(Wasm).map(([name, code]) => [code, describe(textOf(name))]),
);

/** `i64Load8S` is i64.load8_s, `brIf` br_if: the table's names follow from the text format's. */
function textOf(name: string): string {
  const [, type, rest] = /^(i32|i64|local)([A-Z].*)$/.exec(name) ?? [undefined, undefined, name];
  const words = rest.replaceAll(/[A-Z]/g, (letter, at: number) => `${at === 0 ? '' : '_'}${letter.toLowerCase()}`);
  return type === undefined ? words : `${type}.${words}`;
}

function describe(text: string): Mnemonic {
  const access = /^i(32|64)\.(?:load|store)(8|16|32)?/.exec(text);
  if (access === null) return { text, immediates: IMMEDIATES[text] ?? 'none', naturalAlign: 0 };
  const [, width, part = width] = access;
  return { text, immediates: 'memory', naturalAlign: Math.log2(Number(part) / 8) };
}
