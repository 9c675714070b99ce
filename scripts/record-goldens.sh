#!/bin/sh
# Records anew what table tests expect of Linux, clang and libbpf: needs root for bpf(2) (loads, test runs and map
# operations; nothing is attached), clang-19, gcc and libbpf. Each golden file names the kernel or tool it came from.
# Review the difference that is shown: a changed answer is a finding.
set -eu
cd "$(dirname "$0")/.."
KSCOPE_RECORD=1 KSCOPE_REQUIRE_ORACLES=1 npx vitest run \
	test/runtime/interp/instructions.test.ts test/runtime/interp/mutation.test.ts \
	test/runtime/isa test/runtime/check test/loader/linked.test.ts
git diff --stat -- test/testdata
