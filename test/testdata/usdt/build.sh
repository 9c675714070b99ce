#!/usr/bin/env bash
# Builds probes.c for each architecture, and records what readelf says of its notes. Needs clang-19, lld-19, llvm-19, binutils.
set -e
cd "$(dirname "$0")"
for arch in x86_64 aarch64 riscv64; do
  clang-19 --target=$arch-linux-gnu -O1 -ffreestanding -fno-pic -Wno-asm-operand-widths -c probes.c -o /tmp/probes-$arch.o
  ld.lld-19 -static -nostdlib --build-id=none -z noexecstack -o probes.$arch.elf /tmp/probes-$arch.o
  rm /tmp/probes-$arch.o
  LC_ALL=C readelf -nW probes.$arch.elf | grep -E 'Provider|Name:|Location|Arguments' > probes.$arch.txt
done

# The programs that look at probes; needs libbpf-dev.
clang-19 -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -O2 -g -Wall -fdebug-prefix-map="$PWD=." \
  -idirafter "/usr/include/$(uname -m)-linux-gnu" -c snoop.bpf.c -o snoop.bpf.o
llvm-strip-19 -g snoop.bpf.o
