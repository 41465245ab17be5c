/* SPDX-License-Identifier: MIT */
/* sluice/save.h: a cache's values in a file, for a warm start. Part of sluice/cache.h, which is what to include. */
#ifndef SLUICE_SAVE_H
#define SLUICE_SAVE_H

#include <sluice/outcome.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sluice_cache;

/* What can be wrong with a file, beside SLUICE_FILE: the enum and its words are made from this list. */
#define SLUICE_SAVED_FAULTS(X)                                                                                         \
    X(SLUICE_SAVED_WELL, "nothing is wrong")                                                                           \
    X(SLUICE_SAVED_ABSENT, "there is no such file")                                                                    \
    X(SLUICE_SAVED_SYSTEM, "the system refused a call")                                                                \
    X(SLUICE_SAVED_FOREIGN, "not a file that Sluice saved")                                                            \
    X(SLUICE_SAVED_VERSION, "saved in another version of the format")                                                  \
    X(SLUICE_SAVED_TORN, "the file ends before its end")                                                               \
    X(SLUICE_SAVED_DAMAGED, "the file is not as it was written")                                                       \
    X(SLUICE_SAVED_FUTURE, "saved at a time that is still to come")

#define SLUICE_SAVED_FAULT_NAME(name, text) name,
enum sluice_saved_fault { SLUICE_SAVED_FAULTS(SLUICE_SAVED_FAULT_NAME) };
#undef SLUICE_SAVED_FAULT_NAME

/* The fault in words, without the particulars. Static; never NULL. */
SLUICE_API const char *sluice_saved_fault_name(enum sluice_saved_fault fault);

#define SLUICE_SAVED_WORDS_SIZE 256

/* What saving or loading came to. */
struct sluice_saved {
    enum sluice_saved_fault fault;
    char words[SLUICE_SAVED_WORDS_SIZE]; /* what is wrong, with the particulars: system's words, record, byte; or "" */
    uint64_t bytes;                      /* of the file */
    uint64_t entries;                    /* written to the file, or stored in the cache */
    /* Of a load alone: */
    int64_t age_ms;     /* since the file was saved, by the wall clock */
    uint64_t expired;   /* left out: no get would be given them any more */
    uint64_t present;   /* left out: the key has an answer or a load in flight, which is newer */
    uint64_t changed;   /* left out: the key was invalidated or otherwise changed while the file was loaded */
    uint64_t too_large; /* left out: over key_size_max or value_size_max */
    uint64_t no_room;   /* left out: the cache has no room for them; the coldest ones */
};

/*
 * Writes all values, with their media types, entity tags, tags and times, to a file at `path`. Not-founds and failures
 * are not saved: after a restart they may well not be true any more, and cost one load to be found again. Each shard is
 * saved as it is at one instant, one after the other, as sluice_cache_for_each() visits them; no lock is held while the
 * file is written; needs the memory for one shard's keys.
 *
 * The file is written beside its place, under a name of its own (PATH and a suffix), with mode 0600; is brought to the
 * disk; and only then takes its place, in one step: whoever opens `path` finds the old file or the new one, whole.
 * Calls that save to one path at the same time are safe: one of them is last. On an error the old file is as it was,
 * and the new one is gone; with one exception, that the words tell: the directory could not be brought to the disk
 * after that step. A process that is killed meanwhile leaves the file with the suffix behind. `path` must name a
 * regular file or nothing: links and devices are refused.
 *
 * What is invalidated later on stays in the file, and comes back with it: close the cache before it is saved for the
 * next start (a closed one can be saved), or remove the file where it must not outlive a crash. Where a value is
 * invalidated in between, by a program that is to be started again, it has to be invalidated once more after the load.
 *
 * Errors: SLUICE_FILE, SLUICE_NO_MEMORY. `*what` is set whatever comes; it may be NULL. Blocks on the disk.
 */
SLUICE_API enum sluice_error sluice_cache_save(struct sluice_cache *cache, const char *path,
                                               struct sluice_saved *what) SLUICE_CHECK_RESULT;

/*
 * Stores the values of a file that sluice_cache_save() wrote, on this machine or another. The file is read and checked
 * whole, to its checksum, before anything is stored: one that is torn, damaged, foreign, or of another version is
 * refused with SLUICE_FILE and the cache is as it was. A cache that was just made so starts empty, or warm. That guards
 * against accidents, not against malice: whoever can write the file can say what is in the cache.
 *
 * Time that passed since the file was saved counts, by CLOCK_REALTIME (struct sluice_clock, wall_ms): a value has as
 * much left to live as it would have had in a cache that went on, its age and refresh time likewise. What is expired is
 * left out, unless this cache's options still allow it as stale. A clock that was set back lengthens no life beyond
 * what was left when the file was saved; a file that is from more than a day ahead is refused, since its ages can't be
 * known.
 *
 * Nothing that is in the cache gives way. The values of the file count as put when this call begins, and as older than
 * all else: a key that has an answer or a load in flight by then, or comes to one meanwhile, keeps that. Invalidation
 * is final here too (rule 3): whatever is invalidated after this call began, by key, prefix, tag, all, softly or not,
 * is not stored by it. For that, some values may be left out without need where many other keys change meanwhile. Of
 * sluice_invalidate_if() this holds for the entries that it visits.
 *
 * A cache with less room than the file needs takes the hottest ones. Memory beside the cache: no more than the cache
 * itself may hold, and the largest record; whatever the file says, never more than is in it.
 *
 * Errors: SLUICE_FILE, SLUICE_CLOSED, SLUICE_NO_MEMORY (these two may come when some have been stored). `*what` is set
 * whatever comes; it may be NULL. Blocks on the disk.
 */
SLUICE_API enum sluice_error sluice_cache_load(struct sluice_cache *cache, const char *path,
                                               struct sluice_saved *what) SLUICE_CHECK_RESULT;

#ifdef __cplusplus
}
#endif

#endif
