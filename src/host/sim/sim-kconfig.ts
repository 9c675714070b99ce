/** The simulated kernel's configuration, as far as programs ask for one: what Linux would have set to behave like it. */
export const SIM_KCONFIG = `# Automatically generated file; DO NOT EDIT.
CONFIG_64BIT=y
CONFIG_X86_64=y
CONFIG_X86=y
CONFIG_SMP=y
CONFIG_NR_CPUS=8
CONFIG_HZ_250=y
CONFIG_HZ=250
CONFIG_BPF=y
CONFIG_BPF_SYSCALL=y
CONFIG_DEBUG_INFO_BTF=y
CONFIG_KPROBES=y
CONFIG_UPROBES=y
CONFIG_TRACEPOINTS=y
CONFIG_PERF_EVENTS=y
CONFIG_DEFAULT_HOSTNAME="(none)"
# CONFIG_MODULES is not set
`;
