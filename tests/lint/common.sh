# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# common.sh: what the linters share: which files are ours, and how a fault is told. To be sourced. Each linter takes
# the tree to look at as its first argument, so that faults.sh can show it trees with a fault.

faults=0

# fault PLACE WORDS...: tells of one fault; the linter goes on.
fault() {
    fault_place=$1
    shift
    echo "$fault_place: $*" >&2
    faults=$((faults + 1))
}

# ours NAME-PATTERN...: our files of these names under the current folder, one a line.
ours() {
    for ours_pattern in "$@"; do
        find . \( -name .git -o -name 'build*' -type d \) -prune -o -type f -name "$ours_pattern" -print
    done | sed 's:^\./::' | sort
}

# verdict WHAT COUNT: ends a linter; looking at nothing is a fault too.
verdict() {
    [ "$2" -gt 0 ] || fault "$PWD" "no $1 to look at"
    echo "$2 $1, $faults faults"
    [ "$faults" -eq 0 ]
}
