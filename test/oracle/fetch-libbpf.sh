#!/usr/bin/env bash
# Puts the libbpf that the loader is compared with, Debian 13's 1.5.0, into the folder given, without installing
# anything: libbpf.a and its headers. Uses the mirror that apt is set up with. Needs gcc and no root.
set -euo pipefail
target=$1
version=1:1.5.0-3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep '/debian$' | sort -u | head -n 1)
[ -n "$mirror" ] || { echo 'apt is set up with no Debian mirror' >&2; exit 1; }
mkdir -p "$work"/{lists,cache}/partial "$work/cache/archives/partial"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$work/sources.list"
apt() {
  apt-get -qq -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State::Lists="$work/lists" \
    -o Dir::Cache="$work/cache" -o APT::Sandbox::User= "$@"
}
apt update
(cd "$work" && apt download "libbpf-dev=$version")
dpkg -x "$work"/libbpf-dev_*.deb "$work/tree"
mkdir -p "$target"
cp -r "$work/tree/usr/include" "$target/"
cp "$work"/tree/usr/lib/*/libbpf.a "$target/"

# Names that Debian 13's C library has for functions that older ones have, too.
cat >"$work/names.c" <<'C'
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
unsigned long long __isoc23_strtoull(const char *text, char **end, int base) { return strtoull(text, end, base); }
long long __isoc23_strtoll(const char *text, char **end, int base) { return strtoll(text, end, base); }
unsigned long __isoc23_strtoul(const char *text, char **end, int base) { return strtoul(text, end, base); }
long __isoc23_strtol(const char *text, char **end, int base) { return strtol(text, end, base); }
#define SCAN(name, scan, from)                        \
	int name(from, const char *format, ...)       \
	{                                             \
		va_list arguments;                    \
		va_start(arguments, format);          \
		int read = scan(in, format, arguments); \
		va_end(arguments);                    \
		return read;                          \
	}
SCAN(__isoc23_sscanf, vsscanf, const char *in)
SCAN(__isoc23_fscanf, vfscanf, FILE *in)
C
gcc -std=gnu17 -O2 -c "$work/names.c" -o "$work/names.o"
ar r "$target/libbpf.a" "$work/names.o"
