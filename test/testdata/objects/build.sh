#!/usr/bin/env bash
# Rebuilds the objects of this folder and the BTF they are linked against in tests. Needs Debian's clang-14, clang-16,
# clang-19 and llvm-19; with --kernel also bpftool and a kernel that shows its BTF, whose types it cuts down to those
# that the objects ask about.
set -euo pipefail
cd "$(dirname "$0")"
export LC_ALL=C

# compile CLANG VERSIONS...
compile() {
  local clang=$1 source object
  shift
  for version in "$@"; do
    for source in src/*.c; do
      [ "$source" = src/target.c ] && continue
      object="$(basename "$source" .c)-$clang-$version.o"
      "$clang" -target bpf "-mcpu=$version" -O2 -g -Wall -Wno-unused -Wno-visibility -fdebug-prefix-map="$PWD=." \
        -c "$source" -o "$object"
      llvm-strip-19 -g "$object"
    done
  done
}

rm -f -- *.o
compile clang-14 v1 v2 v3
compile clang-16 v1 v2 v3
compile clang-19 v1 v2 v3 v4

mkdir -p big-endian
for source in data subprograms laid_out; do
  clang-19 -target bpfeb -mcpu=v3 -O2 -g -Wno-unused -fdebug-prefix-map="$PWD=." -c "src/$source.c" -o "big-endian/$source.o"
  llvm-strip-19 -g "big-endian/$source.o"
done

# Maps as before libbpf 1.0, with types and without.
mkdir -p legacy
for source in legacy/*.c; do
  clang-19 -target bpf -mcpu=v3 -O2 -g -Wall -fdebug-prefix-map="$PWD=." -c "$source" -o "${source%.c}.o"
  llvm-strip-19 -g "${source%.c}.o"
  clang-19 -target bpf -mcpu=v3 -O2 -Wall -c "$source" -o "${source%.c}-no-btf.o"
done

for source in linked/*.c; do
  clang-19 -target bpf -mcpu=v3 -O2 -g -Wall -Wno-unused -fdebug-prefix-map="$PWD=." -c "$source" -o "${source%.c}.o"
  llvm-strip-19 -g "${source%.c}.o"
done

for source in assembled/*.s; do
  clang-19 -target bpf -mcpu=v3 -c "$source" -o "${source%.s}.o"
done

mkdir -p ../btf
clang-19 -target bpf -O2 -g -c src/target.c -o target.tmp
llvm-objcopy-19 --dump-section .BTF=../btf/target.btf target.tmp
clang-19 -target bpfeb -O2 -g -c src/target.c -o target.tmp
llvm-objcopy-19 --dump-section .BTF=../btf/target-big-endian.btf target.tmp
rm target.tmp

if [ "${1:-}" = --kernel ]; then
  bpftool gen min_core_btf /sys/kernel/btf/vmlinux ../btf/linux-min.btf $(ls ./*-clang-19-v3.o | grep -v laid_out)
fi
