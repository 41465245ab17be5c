#!/bin/sh
# SPDX-License-Identifier: MIT
#
# symbols.sh TREE LIBRARY: the shared library exports what cache/libsluice.symbols lists and nothing else. A symbol that
# goes, or comes, is a change of the interface: it is written into the list on purpose.
set -u
# shellcheck source=tests/lint/common.sh
. "$(dirname -- "$0")/common.sh"

exported=$(nm -D --defined-only "$2" | awk '{ print $NF }' | LC_ALL=C sort) || exit 1
difference=$(echo "$exported" | LC_ALL=C diff "$1/cache/libsluice.symbols" -) ||
    fault "$1/cache/libsluice.symbols" "(<) and what $2 exports (>) differ:
$difference"
verdict "symbols" "$(echo "$exported" | grep -c .)"
