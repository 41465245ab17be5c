#!/bin/sh
# SPDX-License-Identifier: MIT
#
# models.sh TREE: what the models' comments name is still there: a name with an underscore in a comment of
# tests/model/*.pml, which is that of the C function that a step models, stands in the code of cache/.
set -u
# shellcheck source=tests/lint/common.sh
. "$(dirname -- "$0")/common.sh"
cd "$1" || exit 1

# names WANT FILE...: all names with an underscore, a line each: WANT 1 those in comments, 0 those outside of them.
names() {
    names_want=$1
    shift
    awk -v inside=0 -v want="$names_want" '{
        at = $0
        while (match(at, inside ? "[*]/" : "/[*]")) {
            if (inside == want) print substr(at, 1, RSTART - 1)
            at = substr(at, RSTART + 2)
            inside = 1 - inside
        }
        if (inside == want) print at
    }' "$@" | grep -oE '\<[a-z]+(_[a-z0-9]+)+\>' | sort -u
}

count=0
# shellcheck disable=SC2046 # a list of names without blanks
code=$(names 0 $(ours '*.[ch]' | grep '^cache/'))
for model in $(ours '*.pml'); do
    count=$((count + 1))
    for name in $(names 1 "$model"); do
        echo "$code" | grep -qxF "$name" || fault "$model" "there is no $name in cache/"
    done
done
verdict "models" "$count"
