import { ATOMIC_PREFIX, BULK_PREFIX, Wasm, WasmAtomic, WasmBulk } from './opcodes.js';

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
  | 'memories'
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
  'memory.copy': 'memories',
  'memory.fill': 'memories',
};

const RMW: Readonly<Record<string, string>> = { exchange: 'xchg', compare_exchange: 'cmpxchg' };

/** By opcode; what comes after a prefix by `prefixed`. */
export const mnemonics: ReadonlyMap<number, Mnemonic> = new Map([
  ...Object.entries(Wasm).map(([name, code]) => [code, describe(textOf(name))] as const),
  ...Object.entries(WasmBulk).map(([name, code]) => [prefixed(BULK_PREFIX, code), describe(textOf(name))] as const),
  ...Object.entries(WasmAtomic).map(
    ([name, code]) => [prefixed(ATOMIC_PREFIX, code), describe(atomicText(textOf(name)))] as const,
  ),
]);

export function isPrefix(code: number): boolean {
  return code === BULK_PREFIX || code === ATOMIC_PREFIX;
}

export function prefixed(prefix: number, code: number): number {
  return prefix * 256 + code;
}

/** `i64Load8S` is i64.load8_s, `brIf` br_if: the table's names follow from the text format's. */
function textOf(name: string): string {
  const [, type, rest] = /^(i32|i64|local|memory)([A-Z].*)$/.exec(name) ?? [undefined, undefined, name];
  const words = rest.replaceAll(/[A-Z]/g, (letter, at: number) => `${at === 0 ? '' : '_'}${letter.toLowerCase()}`);
  return type === undefined ? words : `${type}.${words}`;
}

/** i64.load8_u becomes i64.atomic.load8_u, i64.add32_u i64.atomic.rmw32.add_u. */
function atomicText(plain: string): string {
  const [, type, what, width, sign] = /^(i32|i64)\.([a-z_]+?)(\d*)(_u)?$/.exec(plain) ?? [];
  if (what === 'load' || what === 'store') return plain.replace('.', '.atomic.');
  return `${type}.atomic.rmw${width}.${RMW[what] ?? what}${sign ?? ''}`;
}

function describe(text: string): Mnemonic {
  const access = /^i(32|64)\.(?:atomic\.)?(?:load|store|rmw)(8|16|32)?/.exec(text);
  if (access === null) return { text, immediates: IMMEDIATES[text] ?? 'none', naturalAlign: 0 };
  const [, width, part = width] = access;
  return { text, immediates: 'memory', naturalAlign: Math.log2(Number(part) / 8) };
}
