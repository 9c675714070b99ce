/**
 * One 8-byte slot of a BPF program (struct bpf_insn). A 64-bit immediate load takes two slots; the second
 * has code 0 and carries the upper word in `imm`. `imm` and `off` are signed.
 */
export interface Insn {
  readonly code: number;
  readonly dst: number;
  readonly src: number;
  readonly off: number;
  readonly imm: number;
}
