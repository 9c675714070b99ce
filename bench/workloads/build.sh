#!/usr/bin/env bash
# Rebuilds obj/*.o, which are committed, from src/*.bpf.c with clang 19: the benchmarks themselves need no compiler.
# NAME.o does its work once in a run, NAME.x8.o and NAME.x64.o 8 and 64 times.
set -euo pipefail
cd "$(dirname "$0")"

compile() { # SOURCE OBJECT FLAGS...
  local source=src/$1.bpf.c object=obj/$2.o
  clang-19 -O2 -g -target bpf -mcpu=v3 -fno-builtin -Wall -Wno-unused -ffile-prefix-map="$PWD"=. "${@:3}" -c "$source" -o "$object"
  llvm-strip-19 -g "$object"
}

mkdir -p obj
for source in src/*.bpf.c; do
  name=$(basename "$source" .bpf.c)
  compile "$name" "$name"
done
for name in empty pkt trace traceup cnt cntat ring; do
  for repeat in 8 64; do compile "$name" "$name.x$repeat" -DREPEAT=$repeat; done
done
compile ring ring-quiet -DFLAGS=1  # BPF_RB_NO_WAKEUP
compile ring ring-forced -DFLAGS=2 # BPF_RB_FORCE_WAKEUP
