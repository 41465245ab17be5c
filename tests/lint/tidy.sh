#!/bin/sh
# SPDX-License-Identifier: MIT
#
# tidy.sh TREE BUILD: clang-tidy with the checks of .clang-tidy over every C file that BUILD/compile_commands.json knows.
set -u
# shellcheck source=tests/lint/common.sh
. "$(dirname -- "$0")/common.sh"
cd "$1" || exit 1

files=$(sed -n 's/^ *"file": "\(.*\.c\)",*$/\1/p' "$2/compile_commands.json" | sort -u)
count=$(echo "$files" | grep -c .)
# One file a run: over several, clang-tidy 14 carries the state of its va_list check from file to file. The lines that
# count warnings count those of system headers too, and say nothing.
if [ "$count" -gt 0 ]; then
    echo "$files" | xargs -P "$(nproc)" -n 1 clang-tidy --quiet -p "$2" 2>&1 |
        grep -vE '^([0-9]+ warnings?( and [0-9]+ errors?)? generated\.|Suppressed .*|Use -header-filter.*)$' >"$2/tidy.log"
    cat "$2/tidy.log"
    found=$(grep -cE ': (warning|error): ' "$2/tidy.log")
    [ ! -s "$2/tidy.log" ] || fault "$2/tidy.log" "clang-tidy finds $found faults"
fi
verdict "C files" "$count"
