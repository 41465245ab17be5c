/* SPDX-License-Identifier: MIT */
/*
 * flight.pml: one key of the cache as a Spin model: gets, puts, invalidations, refresh, cancel, time-outs, loads and
 * their deadlines, in every order that there is. verify.sh runs it; README.md says what it proves and how to read what
 * it finds.
 *
 * A step under the shard's lock is one step here, and what a call does after its unlock are steps of their own.
 * state.pml has what the lock covers, steps.pml the steps under the lock, this file those who make them. Comments name
 * the C function that a step models.
 *
 * Bounds: two getters, one with a time-out and one without, both with a cancel at any time; one putter, one
 * invalidator; LOADS_MAX loads at once. All of them go on for ever, so that nothing else is bounded: the model has no
 * counters, and of a value it knows only whether it has the tag, in which window of its age it is, and which kinds of
 * changes it has missed: puts and invalidations that came since its load began or its put came.
 *
 * Left out: more than one key (bulk, batching, prefixes, eviction, tables), the order of a queue (rule 21), remembered
 * failures and not-found answers without an old value, time to live 0, closing, references and memory, counters, and
 * the clock itself: time is only the order in which deadlines and windows come, and any order may come.
 *
 * What a model is made of (verify.sh has the list):
 *   SOFT      invalidations may be soft            TAGS      ... or of a tag that values may have
 *   REFRESH   values age through all windows       UNWANTED  cancel_unwanted_loads, and a loader with `unwanted`
 *   PATIENT   the second getter never leaves by itself, so that it must be served: for liveness
 *   HANGS     loaders may hang for ever            BREAK_x   one rule broken, as obvious wrong code would break it
 */
#include "state.pml"
#include "steps.pml"
#undef FILE
#define FILE 0

/* ---- after the unlock: options of whoever has something left to do ---------------------------------------------- */

/* after_run, waiter_tell */
inline after_run()
{
    d_step {
        after != 0 ->
            w = 0;
            do
            :: w < GETTERS ->
                if
                :: after & (1 << w) -> RULE(7, waiter[w].state == RELEASED); waiter[w].state = TOLD
                :: else
                fi;
                w++
            :: else -> break
            od;
            after = 0
    }
}

/* loader->load() */
inline enter_loader()
{
    RULE(1, !flight[led].entered);
    flight[led].entered = 1; running++;
    RULE(8, running <= LOADS_MAX);
    led = NONE
}

/*
 * call_begins, by whoever began the flight: a load that is not wanted any more is dropped. What comes between this and
 * the call itself can be seen only by a loader that is told of unwanted loads; else they are one step.
 */
inline call_begins()
{
    d_step {
        led != NONE && !flight[led].called ->
            flight[led].called = 1;
            if
            :: flight[led].state == OVER -> SEEN; flight_ended(led); flight_forget(led); led = NONE
            :: else ->
#ifndef UNWANTED
                enter_loader();
#endif
                SEEN
            fi
    }
}

inline call_loader()
{
    d_step { led != NONE && flight[led].called -> enter_loader() }
}

/* flight_unref by whoever tells */
inline flight_let_go(id)
{
    flight[id].held = 0;
    if
    :: flight[id].ended -> SEEN; flight_free(id)
    :: else
    fi;
    id = NONE
}

/*
 * after_spare: the loader of a flight is told that nobody can be given its result: unlinked first, cancelled second.
 * The load may have ended since the unlock, and the loader may not have been entered yet, though it is sure to be.
 */
inline tell_unwanted()
{
    d_step {
        unwanted != NONE && after == 0 ->
            if
            :: !flight[unwanted].entered -> SEEN
            :: flight[unwanted].ended -> SEEN
            :: else -> SEEN
            fi;
            RULE(9, current != unwanted);
            flight[unwanted].told = 1;
#ifndef BREAK_UNWANTED
            flight_let_go(unwanted)
#endif
    }
#ifdef BREAK_UNWANTED
    d_step {
        if
        :: flight[unwanted].state < OVER -> flight_become(unwanted, OVER); flight[unwanted].released = 1
        :: else
        fi;
        flight_let_go(unwanted)
    }
#endif
}

/* ---- who calls --------------------------------------------------------------------------------------------------- */

#ifdef PATIENT
#define may_leave(me) (me == 0)
#else
#define may_leave(me) true
#endif
#ifdef BREAK_CANCEL
#define CANCELS (may_leave(me) && (waiter[me].state == PARKED || waiter[me].state == RELEASED))
#else
#define CANCELS (may_leave(me) && waiter[me].state == PARKED)
#endif

/*
 * get_leave: a sluice_wait_cancel that says true, and a get that does not wait. A cancel that says false does nothing,
 * and what it says is true if the waiter is told: that is rule 7 in waiter_tell(), and that no getter is left waiting.
 */
inline wait_cancel(me)
{
    if
    :: waiter[me].state == PARKED -> SEEN; flight_leave(me, IDLE)
    :: else -> waiter[me].state = IDLE
    fi
}

#define idle() (led == NONE && unwanted == NONE && after == 0)

/* sluice_get_outcome, sluice_get_async: the waiter is the getter's own, for one get after the other */
proctype getter(byte me)
{
    byte led = NONE, unwanted = NONE, after = 0;

end:
    do
    :: d_step { waiter[me].state == IDLE && idle() -> get_refresh(led); get_decide(me, led) }
    :: call_begins()
    :: call_loader()
    /* park_wait is over, or the callback ran */
    :: d_step { waiter[me].state == TOLD && idle() -> SEEN; waiter[me].state = IDLE }
    :: d_step { CANCELS && idle() -> wait_cancel(me) }
    :: tell_unwanted()
    :: after_run()
    od
}

/* sluice_put; put_locked settles the flight */
proctype putter()
{
    byte unwanted = NONE, after = 0;

end:
    do
    :: d_step {
        unwanted == NONE && after == 0 ->
            happened(PUT);
            settled = current;
            if
#ifndef BREAK_PUT_LOSES
            :: settled != NONE ->
                SEEN;
                store_settle(0, 0);
                flight_become(settled, OVER);
                flight_release_value(settled, 0, 0)
#endif
            :: else -> SEEN; store_settle(0, 0)
            fi;
            RULE(4, settled == NONE || (!waits_on(0, settled) && !waits_on(1, settled)))
       }
    :: after_run()
    :: tell_unwanted()
    od
}

/* flight_detach_locked of the current flight, if there is one and the code does not forget it */
inline flight_detach(remembers)
{
    f = current;
    if
    :: f != NONE && (remembers) && (waits_on(0, f) || waits_on(1, f)) -> SEEN; flight_become(f, DETACHED)
    :: f != NONE && (remembers) && !(waits_on(0, f) || waits_on(1, f)) -> SEEN; flight_become(f, OVER)
    :: else
    fi
}

#ifdef BREAK_DETACH
#define DETACHES false
#elif defined(BREAK_REFRESH_REAPPEARS)
#define DETACHES (!flight[f].refresh)
#else
#define DETACHES true
#endif
#ifdef BREAK_SOFT
#define DETACHES_SOFTLY false
#else
#define DETACHES_SOFTLY true
#endif

/* invalidate_entry_locked */
inline invalidate()
{
    happened(HARD);
    shard_drop();
    promised = 0;
    flight_detach(DETACHES)
}

/* Soft invalidation: the value is not fresh any more, but within its windows. */
inline invalidate_softly()
{
    happened(SOFTLY);
    if
    :: stored && age < REVALIDATING -> SEEN; age = REVALIDATING
    :: else
    fi;
    flight_detach(DETACHES_SOFTLY)
}

/* Invalidation of a tag in O(1): in C a stamp of the tag, with which all else is compared. */
inline invalidate_tag()
{
    happened(TAG);
    f = 0;
    do
    :: f < FLIGHTS -> flight[f].tag_missed = (flight[f].state == CURRENT || flight[f].state == DETACHED); f++
    :: else -> break
    od;
    if
    :: stored && tagged -> SEEN; tag_gone = 1; promised = 0
    :: else
    fi;
#ifdef BREAK_TAG_LATEST
    waiter[0].late = 0;
    waiter[1].late = 0
#endif
}

/* sluice_invalidate */
proctype invalidator()
{
    byte unwanted = NONE, after = 0;

end:
    do
    :: d_step { unwanted == NONE -> invalidate() }
#ifdef SOFT
    :: d_step { unwanted == NONE -> invalidate_softly() }
#endif
    :: tell_unwanted()
#ifdef TAGS
    :: d_step { unwanted == NONE -> invalidate_tag() }
#endif
    od
}

#ifdef BREAK_RELEASE
#define EXPIRES(id) (flight[id].state == CURRENT)
#else
#define EXPIRES(id) (flight[id].state == CURRENT || flight[id].state == DETACHED)
#endif

/* The deadline of a load: flight_expire_locked unlinks first and fails second. */
inline expire_load(id)
{
#ifdef BREAK_DEADLINE_ORDER
    d_step { EXPIRES(id) && !flight[id].released && unwanted == NONE && after == 0 ->
        flight[id].held = 1; flight_release_error(id)
    }
    d_step {
        if
        :: EXPIRES(id) -> flight_become(id, OVER)
        :: else
        fi;
        flight[id].held = 0;
        if
        :: flight[id].ended -> flight_free(id)
        :: else
        fi
    }
#else
    d_step { EXPIRES(id) && unwanted == NONE && after == 0 -> SEEN; flight_fail(id) }
#endif
}

/* The timer thread: expire_deadlines_locked for waits and loads, shard_expire_locked, and the clock that goes on. */
proctype ticker()
{
    byte led = NONE, unwanted = NONE, after = 0;

end:
    do
    :: d_step { waiter[0].state == PARKED && idle() -> SEEN; flight_leave(0, RELEASED); after = after | 1 }
    :: tell_unwanted()
    :: after_run()
#ifndef HANGS
    :: expire_load(0)
    :: expire_load(1)
    :: expire_load(FLIGHTS - 1)
#if LOADS_MAX > 2
    :: expire_load(2)
#endif
#endif
#ifdef REFRESH
    :: d_step { stored && age < IF_ERROR && idle() -> age++; promised = promised && age < IF_ERROR }
    :: d_step { stored && age == IF_ERROR && idle() -> SEEN; shard_drop() }
    :: d_step { backoff && idle() -> SEEN; backoff = 0 }
    /* A soft wait takes the stale value and leaves; the load goes on. */
    :: d_step {
        may_leave(1) && waiter[1].state == PARKED && usable() && idle() ->
            SEEN;
            given(waiter[1].old_missed, tagged, is_stale);
            release_one(1)
       }
#endif
    od
}

#ifdef HANGS
/* With loads that hang for ever it matters that a deadline comes in the end, so that each is a process for fairness. */
proctype deadline(byte me)
{
    byte unwanted = NONE, after = 0;

end:
    do
    :: expire_load(me)
    :: after_run()
    :: tell_unwanted()
    od
}
#endif

#define ends_now() (flight[me].entered && !flight[me].ended && led == NONE && after == 0)

/* A loader: it ends the load (flight_finish) with a value or a failure, sooner or later. */
proctype loader(byte me)
{
    byte led = NONE, unwanted = NONE, after = 0;

end:
    do
#ifdef BREAK_UNLINK_BEFORE_PUBLISH
    :: d_step { ends_now() && flight[me].state == CURRENT -> flight_become(me, OVER); promised = 1 }
        d_step {
            flight_ended(me);
            store_settle(0, 0);
            flight_release_value(me, waiter[w].missed, 0);
            flight_forget(me)
        }
#else
    :: d_step { ends_now() -> flight_ended(me); flight_finish_value(me, 0, led); flight_forget(me) }
#endif
#ifdef TAGS
    :: d_step { ends_now() -> flight_ended(me); flight_finish_value(me, 1, led); flight_forget(me) }
#endif
    :: d_step {
        ends_now() ->
            flight_ended(me);
            if
            :: flight[me].state != OVER -> SEEN; flight_fail(me)
            :: else -> SEEN /* dropped */
            fi;
            flight_forget(me)
       }
    :: after_run()
    :: call_begins()
    :: call_loader()
#ifdef HANGS
    :: ends_now() -> break
#endif
    od
}

init
{
    byte id = 0;

    atomic {
        SEEN_BEGIN;
        run getter(0);
        run getter(1);
        run putter();
        run invalidator();
        run ticker();
        do
        :: id < FLIGHTS ->
            run loader(id);
#ifdef HANGS
            run deadline(id);
#endif
            id++
        :: else -> break
        od
    }
}

/* Every get that parks comes to its end, however others go on: the one with a time-out, and the one without. */
ltl served {
    [] (waiter[0].state != IDLE -> <> (waiter[0].state == IDLE)) &&
    [] (waiter[1].state != IDLE -> <> (waiter[1].state == IDLE))
}
