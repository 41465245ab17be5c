#!/bin/sh
# SPDX-License-Identifier: MIT
#
# headers.sh TREE: every header compiles alone, so that it includes what it needs.
set -u
# shellcheck source=tests/lint/common.sh
. "$(dirname -- "$0")/common.sh"
cd "$1" || exit 1

# folders FILE: where a header of this room may look; two rooms have an http.h.
folders() {
    case $1 in
    cache/*) echo -Icache ;;
    loader/*) echo -Iloader ;;
    tests/loader/*) echo -Iloader -Itests/support ;;
    tests/*) echo -Itests/support -Itests/loader -Icache -Iserver -I. ;;
    *) echo -Iserver -I. ;;
    esac
}

count=0
for file in $(ours '*.h'); do
    count=$((count + 1))
    # shellcheck disable=SC2046 # a list of words
    echo "#include \"$PWD/$file\"" |
        cc -std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only -Icache/include $(folders "$file") -x c - ||
        fault "$file" "does not compile alone"
done
verdict "headers" "$count"
