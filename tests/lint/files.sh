#!/bin/sh
# SPDX-License-Identifier: MIT
#
# files.sh TREE: every source begins with its licence and none is longer than 500 lines.
set -u
# shellcheck source=tests/lint/common.sh
. "$(dirname -- "$0")/common.sh"
cd "$1" || exit 1

count=0
for file in $(ours '*.c' '*.h' '*.sh' '*.cmake' CMakeLists.txt '*.py' '*.java'); do
    count=$((count + 1))
    lines=$(wc -l <"$file")
    [ "$lines" -le 500 ] || fault "$file:500" "longer than 500 lines ($lines): it wants to be two files"
    case $file in
    *.[ch] | *.java)
        [ "$(head -n 1 "$file")" = "/* SPDX-License-Identifier: MIT */" ] ||
            fault "$file:1" "the first line is not /* SPDX-License-Identifier: MIT */"
        ;;
    *.sh | *.py)
        head -n 2 "$file" | grep -qx '# SPDX-License-Identifier: MIT' ||
            fault "$file:2" "the second line is not # SPDX-License-Identifier: MIT"
        ;;
    esac
done
verdict "sources" "$count"
