#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes libatomic.so.1 for each processor from atomic.c. Needs gcc and gcc-aarch64-linux-gnu; the same sources give the same bytes.
set -eu
cd "$(dirname "$0")"
map=$(mktemp)
trap 'rm -f "$map"' EXIT
echo 'LIBATOMIC_1.0 { global: __atomic_compare_exchange; local: *; };' >"$map"
build() { # compiler, folder, size of a page, further words
  compiler=$1 folder=$2 page=$3
  shift 3
  mkdir -p "$folder"
  "$compiler" -O2 -fPIC -ffreestanding -fno-stack-protector -fno-tree-loop-distribute-patterns -fno-asynchronous-unwind-tables "$@" \
    -shared -nostdlib -s -Wl,-soname,libatomic.so.1 -Wl,--version-script="$map" -Wl,--build-id=none -Wl,--hash-style=gnu \
    -Wl,-z,noexecstack -Wl,-z,noseparate-code -Wl,-z,max-page-size="$page" -o "$folder/libatomic.so.1" atomic.c
}
build x86_64-linux-gnu-gcc linux-x64 4096 -fcf-protection=none
build aarch64-linux-gnu-gcc linux-arm64 65536 -mno-outline-atomics
