import type { Btf } from '../btf.js';
import { CPrinter } from './c-printer.js';

const HEADER = `#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

`;

const FOOTER = `#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* __VMLINUX_H__ */
`;

export interface PrintCOptions {
  /** Prints these types and what they need; else all. */
  readonly ids?: Iterable<number>;
  /**
   * Gives enums of 1 and 8 bytes the attribute without which compilers choose 4, as libbpf does since 1.2. Off: the text
   * is that of bpftool 7.1.
   */
  readonly enumModes?: boolean;
}

/**
 * The C header that `bpftool btf dump file ... format c` makes (7.1; later ones sort the types): every type with all that
 * it needs, in an order that compiles. Types that contain themselves are an ELOOP `BpfError`.
 */
export function printBtfAsC(btf: Btf, { ids = allIds(btf), enumModes = false }: PrintCOptions = {}): string {
  const printer = new CPrinter(btf, enumModes);
  const parts = [HEADER];
  for (const id of ids) parts.push(printer.define(id));
  parts.push(FOOTER);
  return parts.join('');
}

function* allIds(btf: Btf): Generator<number, void, undefined> {
  for (let id = 1; id < btf.typeCount; id++) yield id;
}
