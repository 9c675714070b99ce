/** Constants of the ELF format (System V gABI) and of its BPF supplement, as far as BPF objects use them. */
export const SectionType = { NULL: 0, PROGBITS: 1, SYMTAB: 2, STRTAB: 3, RELA: 4, NOBITS: 8, REL: 9 } as const;

export const SECTION_EXECUTABLE = 0x4;

export const SymbolType = { NOTYPE: 0, OBJECT: 1, FUNC: 2, SECTION: 3, FILE: 4 } as const;

export const SymbolBinding = { LOCAL: 0, GLOBAL: 1, WEAK: 2 } as const;

/** Section indices from here on are special (absolute and common symbols). */
export const SPECIAL_SECTION_INDEX = 0xff00;

/** Types of relocations, after the kernel's Documentation/bpf/llvm_reloc.rst. */
export const RelocationType = {
  R_BPF_64_64: 1,
  R_BPF_64_ABS64: 2,
  R_BPF_64_ABS32: 3,
  R_BPF_64_NODYLD32: 4,
  R_BPF_64_32: 10,
} as const;
