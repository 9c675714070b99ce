export const USAGE = `kscope - instrument kernel-like hosts with eBPF

Usage:
  kscope run FILE.o [--host HOST] [--workload NAME] [--seed N] [--cpus N] [--duration S]
                    [--frequency HZ | --period N] [--event NAME] [--engine interp|jit] [--json] [--journal FILE] [--set NAME=VALUE]...
      Loads an object, attaches its programs, streams what they emit; maps and losses at the end.
  kscope prog load FILE.o... --json [--btf FILE] [--kallsyms FILE]
      Links and checks each program; one JSON line per program.
  kscope prog dump linked FILE.o... [--prog NAME] [--opcodes] [--btf FILE] [--kallsyms FILE] [--json]
      The instructions after linking and CO-RE.
  kscope prog dump jited FILE.o [PROG] [--json]
      What the JIT makes of the programs: WebAssembly text, with instructions and source lines beside it.
  kscope prog run FILE.o --prog NAME [--data-in FILE] [--ctx-in FILE] [--repeat N] [--engine interp|jit] [--json]
      Runs one program once, as BPF_PROG_TEST_RUN does, whatever its type.
  kscope plugin [--engine interp|jit] [MEMORY_HEX]
      Reads a program as hex on stdin, prints r0 in hex.
  kscope list [GLOB] [--why NAME] [--host HOST] [--json]
      The probes the host offers; with /FILE[:NAME] as the glob the functions and USDT probes of a program.
  kscope prog show FILE.o [-j | -p]
  kscope map show FILE.o [-j | -p]
      The programs and maps of an object once it is loaded, as bpftool shows them, with the object's metadata.
  kscope map dump FILE.o [name MAP] [-j | -p] [the options of run]
      Runs the object and dumps its maps as bpftool does.
  kscope btf dump FILE | file FILE | id 1 [format raw|c] [-j | -p] [-B BASE]
      The types of raw BTF or an object (id 1: of the simulator's kernel) as bpftool dumps them; -B: the kernel's, for a
      module.
  kscope btf gen LANGUAGE FILE [TYPE]... [-B BASE]
      Types, all or the ones named with what they need, as TypeScript declarations (LANGUAGE dts) or as C (c).
  kscope iter FILE.o [PROG] [--map NAME] [the options of run]
      Runs the host for a while (--duration, default 0.005 s) and prints what the object's iterators write of it.
  kscope gen object OUT.o IN.o...
      Links objects into one, as bpftool gen object does.
  kscope guest up ARCH [--cpus N] [--memory MIB] [--fetch-only] [--refresh] [--json]
      Fetches a Linux guest (x86_64, arm64, riscv64, i686) from Debian's archive, boots it under QEMU, keeps it up until
      Ctrl-C.
  kscope doctor [--json]
      What this machine can do.
  kscope version

HOST is sim (the simulator, the default), qemu:x86_64, qemu:arm64, qemu:riscv64 (a Linux guest under QEMU: the one that
guest up keeps, or one for this command; ,trap=mailbox|pvpanic|stub says how its traps are taken), or v86:i686.

Exit codes: 0 ok, 1 failed, 2 bad usage.`;
