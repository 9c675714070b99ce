#!/bin/sh
# Rebuilds the committed objects. Needs Debian's clang-19, llvm-19 and libbpf-dev (headers only).
set -eu
cd "$(dirname "$0")"

# build SOURCE ARCH OBJECT
build() {
	clang-19 -target bpf -mcpu=v3 -O2 -g -Wall -Werror "-D__TARGET_ARCH_$2" -Iinclude \
		-idirafter "/usr/include/$(uname -m)-linux-gnu" -fdebug-prefix-map="$PWD"=. -c "$1" -o "$3"
	llvm-strip-19 --strip-debug "$3"
	echo "$3"
}

for source in *.bpf.c; do
	build "$source" x86 "${source%.c}.o"
done
# Arguments of functions are in other registers elsewhere.
build openat-kprobe.bpf.c arm64 openat-kprobe-arm64.bpf.o
build openat-kprobe.bpf.c riscv openat-kprobe-riscv64.bpf.o
