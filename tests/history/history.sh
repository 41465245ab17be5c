#!/bin/sh
# SPDX-License-Identifier: MIT
#
# history.sh STORM CHECK: storms of a fresh cache each, one after the other, and the history of each judged at once, so
# that neither a log nor the judge's memory grows. SLUICE_HISTORY_SECONDS (default 2) is how long all of it takes, the
# judging included; 8 rounds are made at least, since each sets up its cache in another way. SLUICE_HISTORY_SEED
# (default: the time) is the first round's seed, the next ones count on. Which turns the threads take is the machine's
# choice: a seed plays the same draws again, not the same history. The log of a broken rule is kept.
#
# It finds what is broken by hand in the library; each of these in a copy, on two cores:
#
#   rule  broken how                                                                           found in
#    3    invalidate_key(): leaves out an entry that has a flight                                   1 s
#    3    sluice_invalidate_prefix(): leaves out entries that have nothing stored                   1 s
#    3    flight_finish(): settles a new entry of the key with the answer of a detached flight      1 s
#    3    invalidate_softly_locked(): leaves the value fresh                                        1 s
#    3    sweep_finds_tag_locked(): overlooks the tags of a value that has some (told as rule 11)   2 s
#    1    get_board_locked(): detaches the flight that it finds, 1 time in 64, and leads            1 s
#    1    refresh_lead_locked(): detaches the flight that it finds, and leads                       4 s
#    2    flight_finish(): takes the flight away, unlocks, and stores under a second lock      2 to 9 s
#    2    get_look_locked(): takes 1 hit in 5,000 for a miss                                        1 s
#    4    put_locked(): returns where there is a flight, and lets the load go on                    1 s
#    4    put_locked(): stores where there is a flight, and lets the load overwrite it              1 s
#    4    put_may(): lets a put that wants nothing to be there store over a value                   1 s
#    7    sluice_wait_cancel(): says true of a get that has been told                               1 s
#    8    sluice_load_abandon(): leaves a load that several wait for as it is                       1 s
#   11    invalidate_key(): of an entry that is reloaded, takes the value only (told as rule 3)     2 s
#   11    store_keep_old(): sets reload_at_ms to now, without a back-off (told as rule 2)           2 s
#   11    store_settle_locked(): lets a failed reload take the old value (told as rule 22)          2 s
#   11    get_look_locked(): starts a second reload where one is on (told as rule 1)                2 s
#   12    shard_answer_locked(): does not mark what is stale (told as rule 12 or 23)                3 s
#   12    expiry_set_locked(): brings a stale value back to life (told as rule 3)                   2 s
#   13    answer_ttl_ms(): 3 for a time to live of 0                                                1 s
#   15    call_load_chain(): calls the loader for all, however many there are                       1 s
#   18    close_shard(): leaves out loads that have been detached                                   3 s
#   18    put_locked(): stores in a closed cache                                                    1 s
#   22    shard_unstore_locked(): makes no record of what has expired                              11 s
#   23    put_locked(): counts twice where there was a flight                                       1 s
#   23    get_board_locked(): forgets to count 1 coalesced wait in 100                              1 s
set -u
storm=$1
check=$2
seconds=${SLUICE_HISTORY_SECONDS:-2}
seed=${SLUICE_HISTORY_SEED:-$(date +%s)}
rounds_min=8
round=0.3
[ "$seconds" -lt 30 ] || round=1

folder=$(mktemp -d "${TMPDIR:-/tmp}/sluice-history-XXXXXX") || exit 1
kept=
trap '[ -n "$kept" ] || rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
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
end=$(($(date +%s) + seconds))
while [ "$rounds" -lt "$rounds_min" ] || [ "$(date +%s)" -lt "$end" ]; do
    "$storm" "$round" "$seed" "$log" || {
        echo "history: round $rounds: the storm failed: SLUICE_HISTORY_SEED=$seed"
        exit 1
    }
    "$check" "$log" >"$verdict" || {
        kept=1
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
