#!/bin/sh
# SPDX-License-Identifier: MIT
#
# includes.sh TREE: who includes what. A foreign library is known to one file; arrows point server -> loader -> cache's
# public headers, and the cache knows nothing of the others.
# shellcheck disable=SC2086 # the lists are of names without blanks
set -u
# shellcheck source=tests/lint/common.sh
. "$(dirname -- "$0")/common.sh"
cd "$1" || exit 1

# includes FILE...: lines "file:line <name>" or "file:line "name"".
includes() {
    awk 'match($0, /^[ \t]*#[ \t]*include[ \t]*[<"][^>"]*[>"]/) {
        sub(/^[ \t]*#[ \t]*include[ \t]*/, "")
        print FILENAME ":" FNR " " substr($0, 1, match($0, /[>"][^>"]*$/))
    }' "$@"
}

# one_includer HEADER: exactly one file of the product includes it.
one_includer() {
    set -- "$1" "$(grep -lE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]$1[>\"]" $product)"
    [ "$(echo "$2" | grep -c .)" -eq 1 ] || fault "$1" "included by more or fewer than one file:" $2
}

product=$(ours '*.[ch]' | grep -E '^(cache|loader|server)/')
if [ -z "$product" ]; then
    verdict "files of the product" 0
    exit 1
fi
for header in microhttpd.h curl/curl.h sqlite3.h confuse.h; do
    one_includer "$header"
done

# Own headers are included by name, the server may say "loader/name.h"; where they may be found says which way the arrows
# point.
rules=$(includes $product | while read -r place name; do
    room=${place%%/*}
    bare=$(echo "$name" | tr -d '<>"')
    case $room$name in
    cache\"*) homes=cache ;;
    loader\"*) homes=loader ;;
    server\"*) homes='server loader .' ;;
    'loader<sluice/loader.h>') continue ;;
    'loader<sluice/'*)
        echo "$place: a loader knows only sluice/loader.h, not $name"
        continue
        ;;
    *'<sluice/'*)
        [ -f "cache/include/$bare" ] || echo "$place: there is no public header $name"
        continue
        ;;
    *'<cache/'* | *'<loader/'* | *'<server/'*)
        echo "$place: own headers are included by name, not as $name"
        continue
        ;;
    *) continue ;;
    esac
    for home in $homes; do
        case $home/$bare in
        ./loader/*/* | ./cache/* | ./server/* | *..*) ;;
        *) [ -f "$home/$bare" ] && continue 2 ;;
        esac
    done
    echo "$place: $name is not in ${homes% .}: the arrows point server -> loader -> sluice/*.h"
done)
[ -z "$rules" ] || fault "the direction of includes" "
$rules"
verdict "files of the product" "$(echo "$product" | wc -l)"
