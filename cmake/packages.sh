# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: MIT
#
# packages.sh: the Debian packages that the project needs, in groups, and how the missing ones are installed. To be
# sourced; ./check and ./quickstart share it.

packages_build="gcc libc6-dev cmake ninja-build pkg-config ccache uthash-dev libxxhash-dev libmicrohttpd-dev
    libconfuse-dev libcurl4-openssl-dev libsqlite3-dev libjansson-dev libsystemd-dev"
packages_quickstart="curl sqlite3 unicode-data"
packages_test="g++ libcmocka-dev curl nginx-light spin sqlite3 unicode-data"
packages_lint="binutils clang clang-format clang-tidy libclang-rt-dev mandoc shellcheck"

# packages_missing PACKAGE...: those that dpkg does not know as installed, one a line.
packages_missing() {
    for package_name in "$@"; do
        dpkg -s "$package_name" 2>/dev/null | grep -q '^Status: install ok installed$' || echo "$package_name"
    done | sort -u
}

# packages_apt ARGUMENT...: apt-get as root, or through sudo.
packages_apt() {
    if [ "$(id -u)" -eq 0 ]; then
        DEBIAN_FRONTEND=noninteractive apt-get "$@"
    else
        sudo env DEBIAN_FRONTEND=noninteractive apt-get "$@"
    fi
}

# packages_install PACKAGE...: installs what is missing; says what it does only where there is something to do. On a
# system without dpkg the names are printed, and the build then says what it does not find.
packages_install() {
    if ! command -v dpkg >/dev/null; then
        echo "not a Debian system; needed here, by Debian's names:" "$@"
        return 0
    fi
    packages_wanted=$(packages_missing "$@" | tr '\n' ' ')
    [ -n "$packages_wanted" ] || return 0
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        echo "these packages are missing; install them as root: apt-get install $packages_wanted" >&2
        return 1
    fi
    echo "installing: $packages_wanted"
    packages_log=$(mktemp) || return 1
    # shellcheck disable=SC2086 # a list of words
    if packages_apt -q update >"$packages_log" 2>&1 </dev/null &&
        packages_apt -q -y --no-install-recommends install $packages_wanted >>"$packages_log" 2>&1 </dev/null; then
        rm -f "$packages_log"
        return 0
    fi
    tail -n 30 "$packages_log" >&2
    rm -f "$packages_log"
    return 1
}
