#!/usr/bin/env bash
# Rebuilds the objects with a value of every shape, in both byte orders. Needs Debian's clang-19 and llvm-19. The
# declarations beside them are recorded by KSCOPE_RECORD=1 npx vitest run test/btf/typed-btf.test.ts.
set -euo pipefail
cd "$(dirname "$0")"
export LC_ALL=C
for order in el eb; do
  clang-19 -target "bpf$order" -mcpu=v3 -O2 -g -Wall -fdebug-prefix-map="$PWD=." -c src/shapes.c -o "shapes-$order.o"
  llvm-strip-19 -g "shapes-$order.o"
done
