#!/usr/bin/env bash
# Rebuilds the objects of the tests of hooks. Needs Debian's clang-19, llvm-19, libbpf-dev (headers only).
set -euo pipefail
cd "$(dirname "$0")"
for source in *.bpf.c; do
  object="${source%.c}.o"
  clang-19 -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -O2 -g -Wall -Wno-unused-function -fdebug-prefix-map="$PWD=." \
    -idirafter "/usr/include/$(uname -m)-linux-gnu" -c "$source" -o "$object"
  llvm-strip-19 -g "$object"
done
