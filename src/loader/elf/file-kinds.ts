/** What files begin with that are given for object files. */
const STARTS: readonly (readonly [start: string, what: string, remedy: string])[] = [
  ['!<arch>\n', 'an archive', 'extract its members with ar x, and give one of them or link them'],
  ['!<thin>\n', 'a thin archive', 'give the objects that it names'],
  ['BC\xc0\xde', 'LLVM bitcode', 'compile it with llc -march=bpf -filetype=obj'],
  ['\xde\xc0\x17\x0b', 'wrapped LLVM bitcode', 'compile it with llc -march=bpf -filetype=obj'],
  ['\0asm', 'a WebAssembly module', 'compile for BPF: clang -target bpf'],
  ['\xcf\xfa\xed\xfe', 'a Mach-O file', 'compile for BPF: clang -target bpf'],
  ['\xfe\xed\xfa\xcf', 'a Mach-O file', 'compile for BPF: clang -target bpf'],
  ['MZ', 'a PE file', 'compile for BPF: clang -target bpf'],
  ['\x1f\x8b', 'compressed with gzip', 'unpack it'],
  ['\x28\xb5\x2f\xfd', 'compressed with zstd', 'unpack it'],
  ['\xfd7zXZ\0', 'compressed with xz', 'unpack it'],
  ['\x9f\xeb', 'bare BTF', 'give the object that it was taken from'],
  ['\xeb\x9f', 'bare BTF', 'give the object that it was taken from'],
  ['#!', 'a script', 'give an object file'],
];

/** What a file is that is no ELF file, as far as its first bytes tell, and what to do about it. */
export function otherFileKind(bytes: Uint8Array): { readonly what: string; readonly remedy: string } | undefined {
  const start = String.fromCharCode(...bytes.subarray(0, 8));
  const found = STARTS.find(([each]) => start.startsWith(each));
  return found === undefined ? undefined : { what: found[1], remedy: found[2] };
}

/** Names of the e_machine numbers that one is likely to meet. */
const MACHINES: Readonly<Record<number, string>> = {
  3: 'i386',
  8: 'MIPS',
  20: 'PowerPC',
  21: '64-bit PowerPC',
  22: 's390',
  40: 'Arm',
  43: 'SPARC',
  62: 'x86-64',
  183: 'AArch64',
  224: 'AMD GPUs',
  243: 'RISC-V',
  258: 'LoongArch',
};

export function machineName(machine: number): string {
  return MACHINES[machine] ?? `machine ${machine}`;
}
