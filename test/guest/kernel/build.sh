#!/usr/bin/env bash
# build.sh ARCH OUT: compiles the bare-metal kernel for riscv64, arm64 or loongarch64 to the ELF file OUT.
# Needs gcc-riscv64-linux-gnu, gcc-aarch64-linux-gnu, or clang-19 and lld-19 (loongarch64).
set -euo pipefail
arch=$1
out=$2
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
common=(-O2 -g -ffreestanding -fno-pic -fno-stack-protector -fno-asynchronous-unwind-tables -fno-builtin
  -fno-omit-frame-pointer -Wall -Wextra -Werror -I . -I "$arch")

case $arch in
riscv64)
  compile=(riscv64-linux-gnu-gcc -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany)
  link=(riscv64-linux-gnu-ld --no-relax --no-warn-rwx-segments)
  place=(-DLOAD_ADDRESS=0x80000000 -DELF_ARCH=riscv)
  ;;
arm64)
  compile=(aarch64-linux-gnu-gcc -mgeneral-regs-only -mstrict-align -mno-outline-atomics -mbranch-protection=none)
  link=(aarch64-linux-gnu-ld --no-warn-rwx-segments)
  place=(-DLOAD_ADDRESS=0x40080000 -DELF_ARCH=aarch64)
  ;;
loongarch64)
  compile=(clang-19 --target=loongarch64-unknown-none -mabi=lp64s -msoft-float)
  link=(ld.lld-19 --no-relax)
  place=(-DLOAD_ADDRESS=0x200000 -DELF_ARCH=loongarch)
  ;;
*)
  echo "build.sh: no such architecture: $arch" >&2
  exit 2
  ;;
esac

objects=()
for source in "$arch/entry.S" "$arch/machine.c" kernel.c work.c user.c; do
  object=$work/$(basename "$source").o
  "${compile[@]}" "${common[@]}" -c "$source" -o "$object"
  objects+=("$object")
done
"${compile[@]}" -E -P -x c "${place[@]}" kernel.lds.S -o "$work/kernel.lds"
"${link[@]}" -nostdlib -static -z max-page-size=4096 -T "$work/kernel.lds" "${objects[@]}" -o "$work/kernel.elf"
mkdir -p "$(dirname "$out")"
mv "$work/kernel.elf" "$out"
