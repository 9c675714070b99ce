import { readFileSync } from 'node:fs';
import { type Btf, type BtfKind, parseBtf } from '../../../src/btf/index.js';

let vmlinux: Btf | undefined;

/** Id of a type in the running kernel's BTF. */
export function btfIdOf(name: string, kind: BtfKind): number {
  vmlinux ??= parseBtf(readFileSync('/sys/kernel/btf/vmlinux'));
  const id = vmlinux.findByName(name, kind)?.id;
  if (id === undefined) throw new Error(`the kernel's BTF has no ${kind} ${name}`);
  return id;
}
