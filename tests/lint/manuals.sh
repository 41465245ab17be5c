#!/bin/sh
# SPDX-License-Identifier: MIT
#
# manuals.sh TREE: mandoc finds nothing to warn of in the manual pages.
set -u
# shellcheck source=tests/lint/common.sh
. "$(dirname -- "$0")/common.sh"
cd "$1" || exit 1

count=0
for file in docs/man/*.[1-8]; do
    [ -f "$file" ] || continue
    count=$((count + 1))
    mandoc -T lint -W warning "$file" >&2 || fault "$file" "mandoc finds fault"
done
verdict "manual pages" "$count"
