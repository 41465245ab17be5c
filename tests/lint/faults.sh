#!/bin/sh
# SPDX-License-Identifier: MIT
#
# faults.sh LINTER: shows a linter a small tree that is well, which it must pass, and the same tree with one fault after
# the other, each of which it must find and name.
set -u
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
tree=$(mktemp -d) || exit 1
trap 'rm -rf "$tree" "$tree.out"' EXIT
trap 'exit 1' HUP INT TERM
spdx='/* SPDX-License-Identifier: MIT */'
missed=0
shown=0

# put FILE LINE...: writes a file of the tree.
put() {
    put_file=$tree/$1
    shift
    mkdir -p "$(dirname "$put_file")"
    printf '%s\n' "$@" >"$put_file"
}

lint() {
    case $linter in
    tidy) "$here/tidy.sh" "$tree" "$tree" ;;
    symbols) "$here/symbols.sh" "$tree" "$tree/libsluice.so" ;;
    *) "$here/$linter.sh" "$tree" ;;
    esac >"$tree.out" 2>&1
}

# passes: the tree as it is now.
passes() {
    shown=$((shown + 1))
    lint && return
    missed=$((missed + 1))
    echo "$linter finds fault with a tree that is well:"
    cat "$tree.out"
}

# finds WORDS: the linter fails, and says these words.
finds() {
    shown=$((shown + 1))
    if lint; then
        missed=$((missed + 1))
        echo "$linter does not find: $1"
    elif ! grep -qF -- "$1" "$tree.out"; then
        missed=$((missed + 1))
        echo "$linter fails, but does not say: $1"
        cat "$tree.out"
    fi
}

faults_of_files() {
    finds "no sources to look at"
    put a.c "$spdx" 'int a;'
    put b.sh '#!/bin/sh' '# SPDX-License-Identifier: MIT'
    passes
    put b.sh '#!/bin/sh'
    finds "b.sh:2"
    put b.sh '#!/bin/sh' '# SPDX-License-Identifier: MIT'
    put a.c 'int a;'
    finds "a.c:1"
    put a.c "$spdx"
    put A.java 'class A {}'
    finds "A.java:1"
    put A.java "$spdx"
    seq 500 | sed 's:.*:/* & */:' >>"$tree/a.c"
    finds "longer than 500 lines (501)"
}

faults_of_includes() {
    put cache/table.c '#include "table.h"' '#include <sluice/cache.h>'
    put cache/table.h ''
    put cache/include/sluice/cache.h '#include <sluice/loader.h>'
    put cache/include/sluice/loader.h ''
    put loader/http.c '#include <curl/curl.h>' '#include "http.h"' '#include <sluice/loader.h>'
    put loader/http.h ''
    put loader/sqlite.c '#include <sqlite3.h>'
    put server/http.c '#include <microhttpd.h>' '#include <sluice/cache.h>' '#include "sqlite.h"'
    put loader/sqlite.h ''
    put server/config.c '#include <confuse.h>'
    passes
    put loader/file.c '  #  include <sqlite3.h>'
    finds "sqlite3.h: included by more or fewer than one file"
    put loader/file.c '#include <sluice/cache.h>'
    finds "loader/file.c:1: a loader knows only sluice/loader.h"
    put loader/file.c '#include "table.h"'
    finds 'loader/file.c:1: "table.h" is not in loader'
    put loader/file.c '#include "../server/http.h"'
    finds 'loader/file.c:1: "../server/http.h" is not in loader'
    put loader/file.c ''
    put cache/entry.c '' '#include "http.h"'
    finds 'cache/entry.c:2: "http.h" is not in cache'
    put cache/entry.c ''
    put server/main.c '#include "table.h"'
    finds 'server/main.c:1: "table.h" is not in server loader'
    put server/main.c '#include "cache/table.h"'
    finds 'server/main.c:1: "cache/table.h" is not in server loader'
    put server/main.c '#include "../cache/table.h"'
    finds 'server/main.c:1: "../cache/table.h" is not in server loader'
    put server/main.c '#include "loader/http.h"'
    passes
    put server/main.c '#include <cache/table.h>'
    finds 'server/main.c:1: own headers are included by name'
    put server/main.c '#include <sluice/table.h>'
    finds 'there is no public header <sluice/table.h>'
    put server/main.c ''
    put server/config.c ''
    finds "confuse.h: included by more or fewer than one file"
}

faults_of_format() {
    cp "$here/../../.clang-format" "$tree"
    finds "no C files to look at"
    put a.c "$spdx" 'int a;'
    passes
    put a.c "$spdx" 'int  a;'
    finds "a.c: not formatted"
}

faults_of_headers() {
    finds "no headers to look at"
    put cache/a.h '#include <stddef.h>' 'size_t a(void);'
    passes
    put cache/a.h 'size_t a(void);'
    finds "cache/a.h: does not compile alone"
}

faults_of_threads() {
    mkdir "$tree/cache"
    cp -r "$here/../../cache/lock.h" "$here/../../cache/must.h" "$tree/cache"
    set -- '#include "lock.h"' 'struct box { int value BY_SHARD; };' 'void box_set(struct lock *lock, struct box *box);' \
        'void box_set(struct lock *lock, struct box *box) {'
    put cache/box.c "$@" 'lock_acquire(lock); box->value = 1; lock_release(lock); }'
    passes
    put cache/box.c "$@" 'lock_acquire(lock); lock_release(lock); box->value = 1; }'
    finds "writing variable 'value' requires holding"
    put cache/box.c "$@" 'lock_acquire(lock); box->value = 1; }'
    finds "is still held at the end of function"
    put cache/box.c "$@" 'lock_acquire(lock); lock_acquire(lock); box->value = 1; lock_release(lock); }'
    finds "is already held"
}

faults_of_shell() {
    finds "no scripts to look at"
    put a '#!/bin/sh' 'echo a'
    put b.sh '#!/bin/sh' 'echo b'
    passes
    # shellcheck disable=SC2016 # to be written as it stands
    put a '#!/bin/sh' 'rm -rf $1'
    finds "a: shellcheck finds fault"
    put a '#!/bin/sh' 'echo a'
    # shellcheck disable=SC2016 # to be written as it stands
    put b.sh '#!/bin/sh' 'rm -rf $1'
    finds "b.sh: shellcheck finds fault"
}

faults_of_manuals() {
    finds "no manual pages to look at"
    set -- '.Dd January 1, 2026' '.Dt A 1' '.Os' '.Sh NAME' '.Nm a' '.Nd a page' '.Sh DESCRIPTION'
    put docs/man/a.1 "$@" 'Words.'
    passes
    put docs/man/a.1 "$@" '.Bl -bullet' '.It' 'Words.'
    finds "docs/man/a.1: mandoc finds fault"
}

faults_of_models() {
    finds "no models to look at"
    put cache/a.c '/* flight_ends */' 'void flight_begin(void); /* and' 'flight_goes */'
    put tests/model/a.pml '/* flight_begin */ inline begin_it()'
    passes
    put tests/model/a.pml '/* flight_ends */'
    finds "tests/model/a.pml: there is no flight_ends in cache/"
    put tests/model/a.pml '/* what comes' ' * after flight_goes() */'
    finds "tests/model/a.pml: there is no flight_goes in cache/"
}

faults_of_proofs() {
    finds "no pages to look at"
    put tests/a_test.c 'static void rule_1_is_kept(void **state)'
    put page.md '| kept | rule_1_is_kept | see rule_1_ and rule_N_...'
    passes
    put page.md '| kept | rule_1_is_kept, rule_1_is |'
    finds "page.md: there is no test rule_1_is"
}

faults_of_symbols() {
    put cache/libsluice.symbols sluice_get sluice_put
    library() {
        printf 'int %s;\n' "$@" | cc -shared -o "$tree/libsluice.so" -x c - && return 0
        exit 1
    }
    library sluice_get sluice_put
    passes
    library sluice_get sluice_put leaked
    finds "> leaked"
    library sluice_get
    finds "< sluice_put"
}

faults_of_tidy() {
    cp "$here/../../.clang-tidy" "$tree"
    put compile_commands.json '[ {' " \"directory\": \"$tree\"," ' "command": "cc -std=c17 -c a.c",' \
        " \"file\": \"$tree/a.c\"" '} ]'
    put a.c 'int half(int number);' 'int half(int number)' '{' '    return number / 2;' '}'
    passes
    put a.c 'int half(int number);' 'int half(int number)' '{' '    if (number > 0)' '        ;' '    return number / 2;' '}'
    finds "bugprone-suspicious-semicolon"
    put a.c '#include <stdlib.h>' 'int half(int number);' 'int half(int number)' '{' '    int *box = malloc(4);' \
        '    return number + !box;' '}'
    finds "clang-analyzer-unix.Malloc"
    put a.c 'int half(int number);' 'int half(int number)' '{'
    seq 80 | sed 's/.*/    number += &;/' >>"$tree/a.c"
    printf '%s\n' '    return number;' '}' >>"$tree/a.c"
    finds "readability-function-size"
    rm "$tree/compile_commands.json"
    finds "no C files to look at"
}

linter=$1
"faults_of_$linter"
echo "$linter: $shown trees shown, $missed judged wrongly"
[ "$missed" -eq 0 ] && [ "$shown" -gt 1 ]
