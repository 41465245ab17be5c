#!/bin/sh
# SPDX-License-Identifier: MIT
#
# embed.sh WAY KIND PREFIX SOURCE WORK: builds programs against the library as it is installed in PREFIX, runs them and
# compares what they print. WAY is cmake or pkg-config (the examples), c11 or c++17 (embedder.c), or readme (the program
# in README.md); KIND is shared or static. SOURCE is the source tree, of which only the programs are used; WORK is a
# scratch folder.
set -eu
way=$1 kind=$2 prefix=$3 source=$4 work=$5

pc=$(find "$prefix" -name sluice.pc)
[ -n "$pc" ] || {
    echo "there is no sluice.pc in $prefix" >&2
    exit 1
}
PKG_CONFIG_PATH=$(dirname "$pc")
LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")
export PKG_CONFIG_PATH
version=$(pkg-config --modversion sluice)
rm -rf "$work"
mkdir -p "$work"

# expect PROGRAM LINE...: runs it; what it prints must be these lines, and it must use the library of this kind.
expect() {
    program=$1
    shift
    printf '%s\n' "$@" >"$work/expected"
    if [ "$kind" = shared ]; then
        needed=$(readelf -d "$program" | sed -n 's/.*(NEEDED).*\[\(libsluice[^]]*\)\].*/\1/p')
        [ "$needed" = "libsluice.so.${version%.*}" ] || {
            echo "$program needs '$needed', not libsluice.so.${version%.*}" >&2
            exit 1
        }
        LD_LIBRARY_PATH=$LD_LIBRARY_PATH "$program" >"$work/printed"
    else
        if readelf -d "$program" | grep libsluice >&2; then
            exit 1
        fi
        "$program" >"$work/printed"
    fi
    diff "$work/expected" "$work/printed"
}

# compile OUTPUT ARGUMENT...: with what pkg-config says for this kind.
compile() {
    output=$1
    shift
    if [ "$kind" = static ]; then
        # shellcheck disable=SC2046 # a list of words
        "$@" -static -o "$output" $(pkg-config --static --cflags --libs sluice)
    else
        # shellcheck disable=SC2046 # a list of words
        "$@" -o "$output" $(pkg-config --cflags --libs sluice)
    fi
}

expect_examples() {
    expect "$work/blocking" "user number 42" "user number 42" "user number 42" "user number 42" "user number 42" \
        "user number 42" "user number 42" "user number 42" "user 0: the backend has no value for this key" \
        "9 gets, 2 loads"
    expect "$work/async" "page index" "page index" "page index" "3 gets, 1 loads"
}

case $way in
cmake)
    cmake -S "$source/examples" -B "$work" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -DSLUICE_COMPONENT="$kind"
    grep "^sluice_DIR:PATH=$prefix/" "$work/CMakeCache.txt"
    cmake --build "$work"
    expect_examples
    ;;
pkg-config)
    for example in blocking async; do
        compile "$work/$example" cc -Wall -Wextra -Werror "$source/examples/$example.c" -pthread
    done
    expect_examples
    ;;
c11)
    compile "$work/embedder" cc -std=c11 -pedantic -Wall -Wextra -Werror "$source/tests/installed/embedder.c"
    expect "$work/embedder" "$version"
    ;;
c++17)
    cp "$source/tests/installed/embedder.c" "$work/embedder.cc"
    compile "$work/embedder" c++ -std=c++17 -pedantic -Wall -Wextra -Werror "$work/embedder.cc"
    expect "$work/embedder" "$version"
    ;;
readme)
    awk '/^    #include <sluice/ { on = 1 } on && /^[^ ]/ { exit } on { sub(/^    /, ""); print }' "$source/README.md" \
        >"$work/readme.c"
    compile "$work/readme" cc -Wall -Wextra -Werror "$work/readme.c"
    expect "$work/readme" "user 42 is Ada"
    ;;
*)
    echo "embed.sh: no way '$way'" >&2
    exit 2
    ;;
esac
