/* SPDX-License-Identifier: MIT */
/* state.pml: the state of the model in flight.pml: what the shard's lock covers, and what only the rules need. */
#ifndef LOADS_MAX
#define LOADS_MAX 2
#endif
#ifndef FLIGHTS
#define FLIGHTS (LOADS_MAX + 1) /* one more, so that a load too many could be seen */
#endif
#define GETTERS 2
#define NONE 15 /* no flight */

/* A rule of docs/contract.md; Spin prints the expression, and so the number, of the one that is broken. */
#ifdef ONLY
#define RULE(number, holds) assert(number != ONLY || (holds) || rule == number)
#else
#define RULE(number, holds) assert((holds) || rule == number)
#endif
#define MUST(holds) assert((holds) || must == 1) /* the must() of the C code */
byte rule, must;

/*
 * Marks what must have been reached: the verifier prints file and line, and verify.sh looks for those that are missing.
 * FILE is 0 in flight.pml and 1 in steps.pml.
 */
#define SEEN c_code { seen_lines[FILE][__LINE__] = 1; }
#define SEEN_BEGIN c_code { atexit(seen_print); }
c_decl {
    static unsigned char seen_lines[2][1000];

    static void seen_print(void)
    {
        for (int i = 0; i < 1000; i++) {
            if (seen_lines[0][i])
                printf("seen flight.pml:%d\n", i);
            if (seen_lines[1][i])
                printf("seen steps.pml:%d\n", i);
        }
    }
}

/* ---- what the shard's lock covers -------------------------------------------------------------------------------- */

/* sluice_flight_state, and FREE: not begun */
#define FREE 0
#define CURRENT 1
#define DETACHED 2
#define OVER 3

typedef sluice_load {
    byte state;
    byte missed;    /* changes since it began */
    bit tag_missed; /* the tag was invalidated since it began: in C, a comparison of stamps */
    bit refresh;    /* `background`: begun by get_refresh_locked */
    bit called;     /* the loader is about to be called, or the load was dropped without */
    bit entered;    /* it has been called */
    bit ended;      /* the loader has ended the load */
    bit released;   /* its waiters have been released */
    bit held;       /* somebody is about to tell the loader that it is unwanted: a reference */
    bit told;       /* the loader was told so */
    byte younger;   /* TAGS: the set of gets that were parked when it began, and are still */
};
sluice_load flight[FLIGHTS];

/* waiter_state; IDLE: not parked, or cancelled; TOLD: waiter_tell() was called */
#define IDLE 0
#define PARKED 1
#define RELEASED 2
#define TOLD 3

typedef sluice_wait {
    byte state;
    byte on;         /* its flight */
    byte missed;     /* changes that its flight had missed when the get began */
    byte old_missed; /* changes that the stored value had missed when the get began */
    bit late;        /* parked when its flight had missed an invalidation of the tag */
};
sluice_wait waiter[GETTERS];

/* The windows of a stored value's age, in their order; after the last it is gone. */
#define FRESH 0
#define DUE 1          /* past reload_at_ms */
#define REVALIDATING 2 /* past fresh_until_ms, within stale_while_revalidate_ms */
#define IF_ERROR 3     /* within stale_if_error_ms */

/* struct entry */
byte current = NONE; /* its flight */
bit stored;          /* it has a value */
byte age;
byte missed;         /* changes since its birth */
bit tagged;
bit tag_gone;        /* the value's tag was invalidated since its birth: in C, a comparison of stamps */
bit backoff;         /* a reload has failed, and its back-off runs */

/* Whether the stored value can be given at all: in a window, and its tag is good. */
#define usable() (stored && !tag_gone)
/* Whether it is given at once: get_look_locked. A reload that failed just now is not tried again for its back-off. */
#define at_once() (usable() && (age < IF_ERROR || backoff))
#define is_stale (age >= REVALIDATING)

byte slots;  /* core_take() of cache->loads */

/* ---- what only the rules need ------------------------------------------------------------------------------------ */

/* Changes, as a set. */
#define PUT 1
#define HARD 2
#define SOFTLY 4
#define TAG 8
byte running; /* calls of the loader that have not ended */
bit promised; /* a fresh value came and nothing took it away: no get may start a load (rule 2) */

/* Variables of single steps. */
hidden byte w, f, settled, was_on, count, ok;

/* A put or an invalidation: what is linked has missed it. What is not can't be stored any more, and nobody joins it. */
inline happened(change)
{
    if
    :: stored -> missed = missed | change
    :: else
    fi;
    f = 0;
    do
    :: f < FLIGHTS ->
        if
        :: flight[f].state == CURRENT -> flight[f].missed = flight[f].missed | change
        :: else
        fi;
        f++
    :: else -> break
    od
}

/* A get is given a value that had missed these changes when the get began. */
inline given(changes, value_tagged, stale)
{
    RULE(4, !(changes & PUT));
    RULE(3, !(changes & HARD) && (!(changes & SOFTLY) || stale) && (!(changes & TAG) || !value_tagged))
}
