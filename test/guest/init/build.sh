#!/usr/bin/env bash
# build.sh ARCH OUT: the init of the test guests as a static program. Needs clang-19 and lld-19.
set -euo pipefail
cd "$(dirname "$0")"
case $1 in
x86_64) target=x86_64-linux-gnu flags=(-mno-red-zone) ;;
i386) target=i386-linux-gnu flags=(-march=i586 -mno-sse) ;;
arm64) target=aarch64-linux-gnu flags=(-mgeneral-regs-only) ;;
riscv64) target=riscv64-linux-gnu flags=(-march=rv64gc -mabi=lp64d -mno-relax) ;;
*) echo "build.sh: x86_64, i386, arm64 or riscv64, not $1" >&2 && exit 2 ;;
esac
exec clang-19 "--target=$target" "${flags[@]}" -O2 -Wall -Wextra -Werror -std=gnu11 -ffreestanding -fno-stack-protector \
  -fno-pic -fno-pie -nostdlib -static -fuse-ld=lld -Wl,-e,_start -Wl,--build-id=none -o "$2" init.c
