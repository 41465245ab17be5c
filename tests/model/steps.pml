/* SPDX-License-Identifier: MIT */
/* steps.pml: the steps under the shard's lock, for flight.pml. Comments name the C function that each models. */
#undef FILE
#define FILE 1

/* flight_become_locked; `unwanted` is then the flight whose loader is to be told so after the unlock, or NONE */
inline flight_become(id, next)
{
    MUST(next > flight[id].state);
    if
    :: flight[id].state == CURRENT -> MUST(current == id); current = NONE
    :: else
    fi;
#ifdef BREAK_SLOT
    slots = slots - (next == OVER);
#endif
    flight[id].state = next; flight[id].missed = 0; flight[id].younger = 0;
    if
    :: next == OVER ->
        flight[id].tag_missed = 0;
#if defined(UNWANTED) && !defined(BREAK_UNWANTED)
        if
        :: flight[id].called && !flight[id].ended -> SEEN; unwanted = id; flight[id].held = 1
        :: else
        fi
#endif
    :: else
    fi
}

/* shard_drop_locked, shard_unstore_locked: the value goes */
inline shard_drop()
{
    stored = 0; age = FRESH; missed = 0; tagged = 0; tag_gone = 0; backoff = 0;
    waiter[0].old_missed = 0; waiter[1].old_missed = 0
}

/* store_settle_locked with a value */
inline store_settle(changes, value_tagged)
{
    shard_drop();
    stored = 1; missed = changes; tagged = value_tagged;
    promised = 1
}

/* What flight_finish() must not store. Who waits elsewhere may be given it: it has to be younger than that get. */
inline rules_of_storing(id)
{
    RULE(8, flight[id].state != OVER);
    RULE(11, !flight[id].refresh || !(flight[id].missed & (PUT | HARD | SOFTLY)));
    RULE(4, !(flight[id].missed & PUT));
#ifdef TAGS
    w = 0;
    do
    :: w < GETTERS -> RULE(3, waiter[w].state != PARKED || waiter[w].on == id || (flight[id].younger & (1 << w))); w++
    :: else -> break
    od;
#endif
    skip
}

/* flight_begin_locked, and core_take() of flight_lead_locked; `led` is the flight, or NONE if refused */
inline flight_begin(led, for_refresh)
{
    led = NONE;
    f = 0;
    do
    :: f < FLIGHTS && flight[f].state != FREE -> f++
    :: else -> break
    od;
    if
    :: slots < LOADS_MAX && f < FLIGHTS ->
        RULE(11, !for_refresh || current == NONE);
        RULE(1, current == NONE);
        led = f; current = f; slots++;
#ifdef TAGS
        flight[f].younger = (waiter[0].state == PARKED) + 2 * (waiter[1].state == PARKED);
#endif
        flight[f].state = CURRENT; flight[f].refresh = for_refresh
    :: else
    fi
}

/* flight_join_locked */
inline flight_join(id, me)
{
    MUST(flight[id].state == CURRENT);
    RULE(8, !flight[id].released);
    RULE(9, !flight[id].told);
    waiter[me].state = PARKED; waiter[me].on = id; waiter[me].late = flight[id].tag_missed;
    waiter[me].missed = flight[id].missed; waiter[me].old_missed = missed
}

/* The waiter is in no queue any more. */
inline unpark(me, next)
{
    MUST(waiter[me].state == PARKED);
#ifdef TAGS
    f = 0;
    do
    :: f < FLIGHTS -> flight[f].younger = flight[f].younger & ~(1 << me); f++
    :: else -> break
    od;
#endif
    waiter[me].state = next; waiter[me].on = 0; waiter[me].missed = 0; waiter[me].old_missed = 0; waiter[me].late = 0
}

/* flight_release_locked for one waiter, which goes to the list of after_run() */
inline release_one(me)
{
    unpark(me, RELEASED);
    after = after | (1 << me)
}

#define waits_on(me, id) (waiter[me].state == PARKED && waiter[me].on == id)

/* flight_release_locked with the value that the flight brought, or that of a put, which has missed nothing */
inline flight_release_value(id, changes, value_tagged)
{
    w = 0;
    do
    :: w < GETTERS ->
        if
        :: waits_on(w, id) -> SEEN; given(changes, value_tagged, 0); release_one(w)
        :: else
        fi;
        w++
    :: else -> break
    od;
    flight[id].released = 1
}

/* flight_release_locked with the old value */
inline flight_release_old(id)
{
    w = 0;
    do
    :: w < GETTERS ->
        if
        :: waits_on(w, id) -> SEEN; given(waiter[w].old_missed, tagged, is_stale); release_one(w)
        :: else
        fi;
        w++
    :: else -> break
    od;
    flight[id].released = 1
}

#ifdef BREAK_FAILURE_ALONE
#define AND_NO_OTHER ; w = GETTERS - 1
#else
#define AND_NO_OTHER
#endif

/* flight_release_locked with an error, which all share */
inline flight_release_error(id)
{
    w = 0;
    do
    :: w < GETTERS ->
        if
        :: waits_on(w, id) -> release_one(w) AND_NO_OTHER
        :: else
        fi;
        w++
    :: else -> break
    od;
    RULE(5, !waits_on(0, id) && !waits_on(1, id));
    flight[id].released = 1
}

#ifdef BREAK_JOIN
#define JOINS false
#else
#define JOINS (current != NONE)
#endif
#ifdef BREAK_REFRESH_TWICE
#define REFRESHES true
#else
#define REFRESHES (current == NONE)
#endif
#ifdef BREAK_REFRESH_WAITS
#define HITS (at_once() && current == NONE)
#else
#define HITS at_once()
#endif

/* get_look_locked, get_board_locked and flight_lead_locked; `led` is the flight if this get leads */
inline get_decide(me, led)
{
    if
    :: HITS -> SEEN; given(missed, tagged, is_stale)
    :: else ->
        RULE(11, !at_once());
        if
        :: JOINS -> SEEN; flight_join(current, me)
        :: else ->
            RULE(2, !promised);
            flight_begin(led, 0);
            if
            :: led != NONE -> SEEN; flight_join(led, me)
            :: else -> SEEN /* SLUICE_TOO_MANY_LOADS */
            fi
        fi
    fi
}

/* get_refresh_locked: after a hit past reload_at_ms, where worth_reloading() */
inline get_refresh(led)
{
    if
    :: at_once() && age >= DUE && !backoff && REFRESHES -> SEEN; flight_begin(led, 1)
    :: at_once() && age >= DUE && !backoff && !REFRESHES -> SEEN /* one is on */
    :: at_once() && age >= DUE && backoff -> SEEN
    :: else
    fi
}

/* flight_goes_on_locked. With UNWANTED the loads that nobody waits for are cancelled. */
#ifdef UNWANTED
#define goes_on(id) (flight[id].state == CURRENT && flight[id].refresh)
#else
#define goes_on(id) (flight[id].state == CURRENT)
#endif

/* flight_leave_locked */
inline flight_leave(me, next)
{
    was_on = waiter[me].on;
    unpark(me, next);
    count = 0;
    w = 0;
    do
    :: w < GETTERS ->
        if
        :: waits_on(w, was_on) -> count++
        :: else
        fi;
        w++
    :: else -> break
    od;
#ifdef BREAK_LEAVE
    if
    :: count > 0 && goes_on(was_on) -> flight_become(was_on, OVER); flight_release_error(was_on)
    :: else
    fi;
#endif
    RULE(7, count == 0 || !flight[was_on].released);
    if
    :: count == 0 && !goes_on(was_on) ->
        SEEN;
#ifdef BREAK_UNWANTED
        unwanted = was_on; flight[was_on].held = 1
#else
        flight_become(was_on, OVER); flight[was_on].released = 1
#endif
    :: else
    fi
}

/* The end of a flight that brings no value: flight_settle_locked (store_keep_old), flight_expire_locked. */
inline flight_fail(id)
{
#ifdef BREAK_TAG_STALE
    ok = stored;
#else
    ok = usable();
#endif
    if
    :: flight[id].state == DETACHED || !ok -> SEEN; flight_become(id, OVER); flight_release_error(id)
    :: else ->
        SEEN;
        flight_become(id, OVER);
        backoff = 1;
        flight_release_old(id)
#ifdef BREAK_FAILURE_REPLACES
        ; shard_drop()
#endif
        ; RULE(5, stored)
    fi
}

#ifdef BREAK_TAG_RESTAMP
#define LATE_AGAIN(id) flight[id].tag_missed
#else
#define LATE_AGAIN(id) 0
#endif

/*
 * flight_restart_locked, for one waiter whose flight brings it nothing, since the tag was invalidated before it parked:
 * it gets again. The flight that it moves to began after its get did, so that whatever that one brings is good for it:
 * it moves once. In C that is the flight it is on, which goes on with a new load as if it had just begun.
 */
inline get_again(me, led)
{
    if
    :: at_once() -> SEEN; given(waiter[me].old_missed, tagged, is_stale); release_one(me)
    :: else ->
        if
        :: current != NONE ->
            SEEN;
            RULE(3, flight[current].younger & (1 << me));
            waiter[me].on = current; waiter[me].missed = 0; waiter[me].late = LATE_AGAIN(current)
        :: else ->
            RULE(2, !promised);
            flight_begin(led, 0);
            if
            :: led != NONE -> SEEN; waiter[me].on = led; waiter[me].missed = 0; waiter[me].late = 0
            :: else -> SEEN; release_one(me) /* SLUICE_TOO_MANY_LOADS */
            fi
        fi
    fi
}

/* flight_release_locked with a value whose tag was invalidated since the load began */
inline flight_release_missed(id, led)
{
    w = 0;
    do
    :: w < GETTERS ->
        if
        :: waits_on(w, id) && waiter[w].late -> get_again(w, led)
        :: waits_on(w, id) && !waiter[w].late -> SEEN; given(waiter[w].missed, 1, 0); release_one(w)
        :: else
        fi;
        w++
    :: else -> break
    od;
    flight[id].released = 1
}

#ifdef BREAK_TAG_DETACHED
#define AND_REMEMBERED && false
#else
#define AND_REMEMBERED
#endif

/* flight_finish with a value: for a flight that is CURRENT flight_settle_locked, else nothing is stored */
inline flight_finish_value(id, has_tag, led)
{
    if
    :: flight[id].state == CURRENT && !(has_tag && flight[id].tag_missed) ->
        SEEN;
        rules_of_storing(id);
        store_settle(flight[id].missed, has_tag);
        flight_become(id, OVER);
        flight_release_value(id, waiter[w].missed, has_tag)
    :: flight[id].state == CURRENT && has_tag && flight[id].tag_missed ->
        SEEN;
        flight_become(id, OVER);
        flight_release_missed(id, led)
    :: flight[id].state == DETACHED && !(has_tag && flight[id].tag_missed AND_REMEMBERED) ->
        SEEN;
        flight_become(id, OVER);
        flight_release_value(id, waiter[w].missed, has_tag)
    :: flight[id].state == DETACHED && has_tag && flight[id].tag_missed AND_REMEMBERED ->
        SEEN;
        flight_become(id, OVER);
        flight_release_missed(id, led)
    :: flight[id].state == OVER ->
#ifdef BREAK_LATE
        rules_of_storing(id);
        store_settle(flight[id].missed, has_tag);
#endif
        SEEN /* dropped */
    fi
}

/* flight_finish, first for every load: core_give_back() */
inline flight_ended(id)
{
    flight[id].ended = 1;
#ifndef BREAK_SLOT
    slots--;
#endif
    running = running - flight[id].entered
}

/* flight_unref of the last reference */
inline flight_free(id)
{
    flight[id].state = FREE; flight[id].missed = 0; flight[id].tag_missed = 0; flight[id].refresh = 0;
    flight[id].called = 0; flight[id].entered = 0; flight[id].ended = 0; flight[id].released = 0; flight[id].told = 0
}

/* flight_finish, last for every load; whoever is to tell the loader that it is unwanted has a reference */
inline flight_forget(id)
{
    if
    :: !flight[id].held -> flight_free(id)
    :: else
    fi
}
