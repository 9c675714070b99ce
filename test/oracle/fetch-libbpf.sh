#!/usr/bin/env bash
# Puts the libbpf that the loader is compared with, Debian 12 backports' 1.4.6, into the folder given, without installing
# anything: libbpf.a and its headers. Uses the mirror that apt is set up with. Needs no root.
set -euo pipefail
target=$1
version=1:1.4.6-1~bpo12+1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep '/debian$' | sort -u | head -n 1)
[ -n "$mirror" ] || { echo 'apt is set up with no Debian mirror' >&2; exit 1; }
mkdir -p "$work"/{lists,cache}/partial "$work/cache/archives/partial"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bookworm-backports main" >"$work/sources.list"
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
