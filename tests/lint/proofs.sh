#!/bin/sh
# SPDX-License-Identifier: MIT
#
# proofs.sh TREE: every test that a page names as a proof, rule_N_..., is there.
set -u
# shellcheck source=tests/lint/common.sh
. "$(dirname -- "$0")/common.sh"
cd "$1" || exit 1

tests=$(ours '*.c' | grep '^tests/' | xargs -r grep -ohE '\<rule_[0-9]+_[a-z0-9_]+\(' | sort -u)
count=0
for page in $(ours '*.md'); do
    count=$((count + 1))
    proofs=$(grep -oE '\<rule_[0-9]+_[a-z0-9_]+\>' "$page" | sort -u)
    for proof in $proofs; do
        case $proof in
        *_) continue ;; # a family of tests
        esac
        echo "$tests" | grep -qxF "$proof(" || fault "$page" "there is no test $proof"
    done
done
verdict "pages" "$count"
