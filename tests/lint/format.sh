#!/bin/sh
# SPDX-License-Identifier: MIT
#
# format.sh TREE: every C file is as clang-format with .clang-format leaves it.
set -u
# shellcheck source=tests/lint/common.sh
. "$(dirname -- "$0")/common.sh"
cd "$1" || exit 1

count=0
for file in $(ours '*.c' '*.h'); do
    count=$((count + 1))
    clang-format --dry-run -Werror "$file" || fault "$file" "not formatted: clang-format -i $file"
done
verdict "C files" "$count"
