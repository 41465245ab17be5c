#!/bin/sh
# SPDX-License-Identifier: MIT
#
# threads.sh TREE: clang's thread-safety analysis over the library: what a lock covers is touched only with it held
# (cache/lock.h).
set -u
# shellcheck source=tests/lint/common.sh
. "$(dirname -- "$0")/common.sh"
cd "$1" || exit 1

count=0
for file in cache/*.c; do
    count=$((count + 1))
    clang -std=c17 -D_GNU_SOURCE -Wall -Wextra -Wthread-safety -Werror -fsyntax-only -Icache/include -Icache "$file" ||
        fault "$file" "is not proven safe"
done
verdict "files of the library" "$count"
