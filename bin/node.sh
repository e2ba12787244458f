#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the Node that stands first in PATH; in npm's scripts that is the pinned one, which wants a library that bare systems lack (bin/libatomic).
grep -qs libatomic.so.1 /etc/ld.so.cache || {
  case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) arch=$(uname -m) ;; esac
  LD_LIBRARY_PATH="$(dirname "$(readlink -f "$0")")/libatomic/linux-$arch${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  export LD_LIBRARY_PATH
}
exec node "$@"
