#!/bin/sh
# SPDX-License-Identifier: MIT
#
# shell.sh TREE: shellcheck over every script, those without an ending too.
set -u
# shellcheck source=tests/lint/common.sh
. "$(dirname -- "$0")/common.sh"
cd "$1" || exit 1

count=0
for file in $(ours '*'); do
    case $file in
    *.sh) ;;
    *) head -n 1 "$file" | tr -d '\0' | grep -qE '^#!.*[/ ](ba)?sh( |$)' || continue ;;
    esac
    count=$((count + 1))
    shellcheck -x "$file" || fault "$file" "shellcheck finds fault"
done
verdict "scripts" "$count"
