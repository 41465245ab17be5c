#!/bin/sh
# SPDX-License-Identifier: MIT
#
# history.sh STORM CHECK: storms of a fresh cache each, one after the other, and the history of each judged at once, so
# that neither a log nor the judge's memory grows. SLUICE_HISTORY_SECONDS (default 2) is how long all of it takes, for
# 8 rounds at least, since each sets up its cache in another way;
# SLUICE_HISTORY_SEED (default: the time) is the first round's seed, the next ones count on. Which turns the threads take
# is the machine's choice: a seed plays the same draws again, not the same history. The log of a broken rule is kept.
#
# What it finds when the library is broken by hand stands in tests/history/README.md.
set -u
storm=$1
check=$2
seconds=${SLUICE_HISTORY_SECONDS:-2}
seed=${SLUICE_HISTORY_SEED:-$(date +%s)}
rounds_min=8
round=0.3
[ "$seconds" -lt 30 ] || round=1

folder=$(mktemp -d "${TMPDIR:-/tmp}/sluice-history-XXXXXX") || exit 1
log=$folder/log
verdict=$folder/verdict

# What is not a log is refused, with a status of its own.
: >"$log"
"$check" "$log" 2>/dev/null
[ $? -eq 2 ] || {
    echo "history: an empty log is not refused"
    exit 1
}

rounds=0
events=0
until=$(($(date +%s) + seconds))
while [ "$rounds" -lt "$rounds_min" ] || [ "$(date +%s)" -lt "$until" ]; do
    "$storm" "$round" "$seed" "$log" || {
        echo "history: round $rounds: the storm failed: SLUICE_HISTORY_SEED=$seed"
        exit 1
    }
    "$check" "$log" >"$verdict" || {
        cat "$verdict"
        echo "history: round $rounds: SLUICE_HISTORY_SEED=$seed; the log is kept: $log"
        exit 1
    }
    count=$(sed -n 's/^history: \([0-9]*\) events.*/\1/p' "$verdict")
    events=$((events + count))
    rounds=$((rounds + 1))
    seed=$((seed + 1))
done
cat "$verdict"
echo "history: $rounds rounds up to SLUICE_HISTORY_SEED=$((seed - 1)), $events events, no rule broken"
rm -r "$folder"
