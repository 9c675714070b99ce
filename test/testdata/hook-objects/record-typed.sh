#!/usr/bin/env bash
# Records how bpftool prints the maps of typed.bpf.o, filled with the bytes of typed-values.txt, and its data section: loads the object's program and
# maps into the kernel, attaches nothing. Needs root and bpftool; mounts a bpffs of its own.
set -euo pipefail
cd "$(dirname "$0")"
[ "${1:-}" = inside ] || exec unshare -m "./$(basename "$0")" inside
fs=$(mktemp -d)
mount -t bpf none "$fs"
trap 'umount "$fs"; rmdir "$fs"' EXIT
bpftool prog load typed.bpf.o "$fs/prog"
id=$(bpftool -j prog show pinned "$fs/prog" | grep -o '"map_ids":\[[0-9,]*\]' | grep -o '[0-9]\+')
for map in $id; do
  name=$(bpftool -j map show id "$map" | grep -o '"name":"[^"]*"' | cut -d'"' -f4)
  case $name in shapes | percpu) ;; typed.data) name=data ;; *) continue ;; esac
  while read -r which key value; do
    [ "$which" = "$name" ] || continue
    bpftool map update id "$map" key hex $(sed 's/../& /g' <<<"$key") value hex $(sed 's/../& /g' <<<"$value")
  done <typed-values.txt
  bpftool map dump id "$map" >"typed-$name.txt"
  bpftool -j map dump id "$map" >"typed-$name.json"
done
