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
# What clang-tidy says of each file: counts of warnings, those of system headers among them, which tell nothing.
noise='^([0-9]+ warnings?( and [0-9]+ errors?)? generated\.|Suppressed .*|Use -header-filter.*)$'

# BUILD NOISE FILE: one file a run, since over several clang-tidy 14 carries the state of its va_list check from file to
# file. The filter is a run's own: what runs side by side writes its lines in pieces, between each other's.
# shellcheck disable=SC2016 # for the shell that xargs starts
one='{ clang-tidy --quiet -p "$1" "$3" || echo "$3: clang-tidy ends with status $?"; } 2>&1 | grep -vE "$2" || true'
if [ "$count" -gt 0 ]; then
    echo "$files" | xargs -P "$(nproc)" -n 1 sh -c "$one" sh "$2" "$noise" >"$2/tidy.log"
    cat "$2/tidy.log"
    found=$(grep -cE ': (warning|error): ' "$2/tidy.log")
    [ ! -s "$2/tidy.log" ] || fault "$2/tidy.log" "clang-tidy finds $found faults"
fi
verdict "C files" "$count"
