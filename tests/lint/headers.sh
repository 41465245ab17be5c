#!/bin/sh
# SPDX-License-Identifier: MIT
#
# headers.sh TREE: every header compiles alone, so that it includes what it needs.
set -u
# shellcheck source=tests/lint/common.sh
. "$(dirname -- "$0")/common.sh"
cd "$1" || exit 1

count=0
for file in $(ours '*.h'); do
    count=$((count + 1))
    echo "#include \"$PWD/$file\"" |
        cc -std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only -Icache/include -Icache -Iserver -Iloader -I. -Itests/support -x c - ||
        fault "$file" "does not compile alone"
done
verdict "headers" "$count"
