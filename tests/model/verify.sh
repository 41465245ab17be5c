#!/bin/sh
# SPDX-License-Identifier: MIT
#
# verify.sh holds|broken FOLDER: runs the model in flight.pml, below FOLDER. holds: the model as it is; no rule may be
# broken, every get must be served, and every step marked SEEN be reached. broken: each way to break it; Spin must find
# that, and by the rule that is broken. Needs spin and a C compiler (CC, else cc). README.md says more.
set -u
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
compiler=${CC:-cc}
faults=0
runs=0

if [ $# -ne 2 ]; then
    echo "usage: verify.sh holds|broken FOLDER" >&2
    exit 2
fi
for tool in spin "$compiler"; do
    command -v "$tool" >/dev/null || {
        echo "verify.sh: $tool is missing" >&2
        exit 1
    }
done
mkdir -p "$2" && folder=$(CDPATH='' cd -- "$2" && pwd) || exit 1

fault() {
    echo "verify.sh: $*" >&2
    faults=$((faults + 1))
}

# number FILE PATTERN: the first number before these words in the verifier's output.
number() {
    sed -n "s/^ *\([0-9.e+]*\)[[:blank:]]$2.*/\1/p" "$1" | head -n 1
}

# search NAME assertions|served DEFINE...: generates, compiles and runs a verifier in a folder of that name; its output
# is in the file `found` there. False: it did not come to a verdict.
search() {
    search_name=$1
    search_kind=$2
    shift 2
    runs=$((runs + 1))
    rm -rf "${folder:?}/$search_name" && mkdir "$folder/$search_name" && cd "$folder/$search_name" || exit 1
    cp "$here"/*.pml . || exit 1
    echo "spin -t -p -g $* flight.pml" >replay
    if [ "$search_kind" = served ]; then
        compile_flags=-DNFAIR=4
        run_flags="-a -f"
    else
        compile_flags="-DSAFETY -DNOCLAIM"
        run_flags=
    fi
    if ! spin "$@" -a flight.pml >generated 2>&1; then
        fault "$search_name: spin can't read the model: $(cat generated)"
        return 1
    fi
    # shellcheck disable=SC2086 # lists of words
    if ! "$compiler" "$optimise" -w $compile_flags -o pan pan.c >compiled 2>&1; then
        fault "$search_name: the verifier does not compile: $(head -n 5 compiled)"
        return 1
    fi
    # shellcheck disable=SC2086
    ./pan -n -m500000 -w22 $run_flags >found 2>&1
    search_result=$?
    if [ "$search_result" -ne 0 ] || ! grep -q 'errors: [0-9]' found || grep -q 'max search depth too small' found; then
        fault "$search_name: the verifier came to no verdict: $(head -n 5 found)"
        return 1
    fi
    if [ "$search_kind" = served ] && ! grep -q 'never claim.*(served)' found; then
        fault "$search_name: the claim was not looked at"
        return 1
    fi
    cost="$(number found 'states, stored') states, $(sed -n 's/^pan: elapsed time \(.*\) seconds/\1/p' found) s,"
    cost="$cost $(number found 'total actual memory usage') MB"
}

# holds NAME KIND DEFINE...: there must be no error, in the whole state space.
holds() {
    holds_name=$1
    search "$@" || return 0
    if grep -q 'errors: 0$' found && ! grep -q 'Search not completed' found; then
        echo "$holds_name: holds; $cost"
        return 0
    fi
    fault "$holds_name: $(grep '^pan:1:' found); in $PWD: $(cat replay)"
}

# broken RULE NAME DEFINE...: the rule's own assertion, or for "served" the claim, must find what is broken.
broken() {
    broken_rule=$1
    broken_name=$2
    shift 2
    if [ "$broken_rule" = served ]; then
        search "$broken_name" served "-DBREAK_$broken_name" "$@" || return 0
        expected='^pan:1: acceptance cycle'
    else
        search "$broken_name" assertions "-DBREAK_$broken_name" "$@" || return 0
        expected="^pan:1: assertion violated .*(rule==$broken_rule))"
    fi
    if grep -q "$expected" found; then
        echo "$broken_name: found by rule $broken_rule; $cost"
    elif grep -q '^pan:1:' found; then
        fault "$broken_name: not found by rule $broken_rule: $(grep '^pan:1:' found)"
    else
        fault "$broken_name: not found"
    fi
}

# Every SEEN of the model must have been reached in one of the runs.
all_seen() {
    (cd "$here" && grep -nw SEEN flight.pml steps.pml) |
        sed 's/^\([a-z.]*:[0-9]*\):.*/seen \1/' | sort >"$folder/marks"
    sort -u "$folder"/*/found | grep '^seen ' >"$folder/seen"
    [ -s "$folder/marks" ] || fault "the model has no SEEN"
    missed=$(comm -23 "$folder/marks" "$folder/seen")
    [ -z "$missed" ] || fault "never reached: $(echo "$missed" | tr '\n' ' ')"
    echo "$(wc -l <"$folder/marks") marked steps, $(comm -12 "$folder/marks" "$folder/seen" | wc -l) reached"
}

case $1 in
holds)
    optimise=-O1
    rm -rf "${folder:?}"/*/
    holds plain assertions -DLOADS_MAX=3
    holds unwanted assertions -DUNWANTED -DLOADS_MAX=3
    holds refresh assertions -DREFRESH -DSOFT
    holds refresh_unwanted assertions -DREFRESH -DUNWANTED -DFLIGHTS=2
    holds tags assertions -DTAGS -DREFRESH
    holds plain_served served -DPATIENT -DHANGS -DFLIGHTS=2
    holds refresh_served served -DPATIENT -DHANGS -DFLIGHTS=2 -DREFRESH
    holds tags_served served -DPATIENT -DFLIGHTS=2 -DTAGS
    all_seen
    ;;
broken)
    optimise=-O0
    broken 1 JOIN
    broken 2 UNLINK_BEFORE_PUBLISH
    broken 3 DETACH
    broken 3 SOFT -DONLY=3 -DREFRESH -DSOFT # rule 11 would find it, too
    broken 3 TAG_DETACHED -DTAGS
    broken 3 TAG_LATEST -DTAGS
    broken 3 TAG_STALE -DTAGS -DREFRESH
    broken 4 PUT_LOSES
    broken 5 FAILURE_ALONE
    broken 5 FAILURE_REPLACES -DREFRESH
    broken 7 CANCEL
    broken 7 LEAVE
    broken 8 DEADLINE_ORDER
    broken 8 LATE
    broken 8 SLOT
    broken 9 UNWANTED -DUNWANTED
    broken 11 REFRESH_REAPPEARS -DREFRESH
    broken 11 REFRESH_TWICE -DREFRESH
    broken 11 REFRESH_WAITS -DREFRESH
    broken served RELEASE -DPATIENT -DHANGS -DFLIGHTS=2
    broken served TAG_RESTAMP -DPATIENT -DFLIGHTS=2 -DTAGS
    ;;
*)
    echo "verify.sh: holds or broken, not $1" >&2
    exit 2
    ;;
esac
echo "$runs runs, $faults faults"
[ "$faults" -eq 0 ]
