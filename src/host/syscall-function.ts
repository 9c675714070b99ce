import type { Host } from './host.js';

/** How architectures whose system calls take one `struct pt_regs *` name them: `__x64_sys_read`. */
const WRAPPER_PREFIX: Readonly<Partial<Record<Host['arch']['name'], string>>> = {
  x86_64: 'x64',
  i386: 'ia32',
  arm64: 'arm64',
  riscv64: 'riscv',
};

/** Either is enough to tell: libbpf asks for the first, which small kernels lack. */
const WITNESSES = ['bpf', 'read'] as const;

/** Whether the functions of system calls take the caller's registers (CONFIG_ARCH_HAS_SYSCALL_WRAPPER). */
export function hasSyscallWrapper({ arch, symbols }: Pick<Host, 'arch' | 'symbols'>): boolean {
  const prefix = WRAPPER_PREFIX[arch.name];
  return WITNESSES.some((name) => prefix !== undefined && symbols.lookup(`__${prefix}_sys_${name}`) !== undefined);
}

/** The function in which system call `name` is carried out, as libbpf's bpf_program__attach_ksyscall() finds it. */
export function syscallFunction(host: Pick<Host, 'arch' | 'symbols'>, name: string): string {
  return hasSyscallWrapper(host) ? `__${WRAPPER_PREFIX[host.arch.name]}_sys_${name}` : `__se_sys_${name}`;
}
