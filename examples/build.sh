#!/bin/sh
# Rebuilds the committed objects. Needs Debian's clang-19, llvm-19 and libbpf-dev (headers only).
set -eu
cd "$(dirname "$0")"
for source in *.bpf.c; do
	object="${source%.c}.o"
	clang-19 -target bpf -mcpu=v3 -O2 -g -Wall -Werror -D__TARGET_ARCH_x86 -Iinclude \
		-fdebug-prefix-map="$PWD"=. -c "$source" -o "$object"
	llvm-strip-19 --strip-debug "$object"
	echo "$object"
done
