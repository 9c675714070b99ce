import type { RiscvInsnClass } from '../../../src/arch/index.js';

/** Classes by the start of a disassembler's mnemonic (`-M no-aliases`), the first that fits. */
const CLASSES: readonly (readonly [RegExp, RiscvInsnClass])[] = [
  [/^(c\.nop|nop|c\.(addi|li) zero, ?(0|0x0)|addi zero, ?zero, ?(0|0x0))$/, 'nop'],
  [/^auipc /, 'auipc'],
  [/^(jal|c\.j|c\.jal) /, 'jal'],
  [/^(jalr|c\.jr|c\.jalr) /, 'jalr'],
  [/^(beq|bne|blt|bge|bltu|bgeu|c\.beqz|c\.bnez) /, 'branch'],
  [/^fence\.i\b/, 'fence-i'],
  [/^(fence|fence\.tso|pause)\b/, 'fence'],
  [/^cbo\./, 'cache-block'],
  [/^lr\.[wd]/, 'load-reserved'],
  [/^sc\.[wd]/, 'store-conditional'],
  [/^amo/, 'amo'],
  [/^ecall$/, 'ecall'],
  [/^(ebreak|c\.ebreak)$/, 'ebreak'],
  [/^(mret|sret|mnret|dret)$/, 'trap-return'],
  [/^wfi$/, 'wfi'],
  [/^(csrr|unimp)/, 'csr'],
  [/^(sfence|hfence|sinval|hinval|hlv|hsv|wrs|mop\.)/, 'system'],
  [/^c\.unimp$/, 'illegal'],
];

/** What the decoder must say of an instruction that a disassembler shows so; null where it shows bytes only. */
export function classOfText(text: string): RiscvInsnClass | null {
  const plain = text.replace(/ *(#|<).*$/, '');
  if (/^(\.|<unknown>|$)/.test(plain) || text.includes('<unknown>')) return null;
  return CLASSES.find(([pattern]) => pattern.test(plain))?.[1] ?? 'other';
}
