import type { LoongArchInsnClass } from '../../../src/arch/index.js';

/** Classes by a disassembler's text, the first that fits. */
const CLASSES: readonly (readonly [RegExp, LoongArchInsnClass])[] = [
  [/^(nop|andi \$zero, \$zero, 0)$/, 'nop'],
  [/^(pcaddi|pcalau12i|pcaddu12i|pcaddu18i) /, 'pc-relative'],
  [/^(b|bl) /, 'jump'],
  [/^(jirl|jr|ret)( |$)/, 'jirl'],
  [/^(beqz|bnez|beq|bne|blt|bge|bltu|bgeu|bgtz|blez|bltz|bgez) /, 'branch'],
  [/^(bceqz|bcnez|jiscr[01]) /, 'float-branch'],
  [/^(ll\.[wd]|llacq\.[wd]) /, 'load-linked'],
  [/^(sc\.[wdq]|screl\.[wd]) /, 'store-conditional'],
  [/^am(swap|add|and|or|xor|max|min|cas)(_db)?\./, 'amo'],
  [/^break /, 'break'],
  [/^syscall /, 'syscall'],
  [/^(hvcl|dbcl) /, 'call'],
  [/^ertn$/, 'ertn'],
  [/^idle /, 'idle'],
  [/^g?csr(rd|wr|xchg) /, 'csr'],
  [/^(iocsr|cacop|g?tlb|invtlb|lddir|ldpte)/, 'system'],
];

/** What the decoder must say of an instruction that a disassembler shows so; null where it shows bytes only. */
export function classOfText(text: string): LoongArchInsnClass | null {
  const plain = text.replace(/ *(#|<).*$/, '');
  if (/^(\.|$)/.test(plain) || text.includes('<unknown>')) return null;
  return CLASSES.find(([pattern]) => pattern.test(plain))?.[1] ?? 'other';
}
