#!/bin/sh
# SPDX-License-Identifier: MIT
#
# install.sh BUILD PREFIX MOVED: installs the build into PREFIX, and once more staged through DESTDIR and then moved to
# MOVED, as a packager does: what is built against MOVED later proves that nothing in the tree knows where it was made.
set -eu
build=$1 prefix=$2 moved=$3

rm -rf "$prefix" "$moved" "$moved.stage"
cmake --install "$build" --prefix "$prefix"
DESTDIR=$moved.stage cmake --install "$build" --prefix /opt/sluice
mv "$moved.stage/opt/sluice" "$moved"
left=$(find "$moved.stage" -type f)
[ -z "$left" ] || {
    echo "installed outside of the prefix: $left" >&2
    exit 1
}
