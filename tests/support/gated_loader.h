/* SPDX-License-Identifier: MIT */
/*
 * gated_loader.h: a loader whose loads end when, where and how a test says.
 *
 * Every call gets a number, 0 for the first, by which the test ends it. What a call does is the loader's mode at that
 * moment:
 *
 *     GATED_HOLD    returns at once; gated_loader_end() ends the load on the thread that calls it
 *     GATED_BLOCK   holds the calling thread inside the loader; gated_loader_end() lets that thread end the load before
 *                   it returns; gated_loader_let_return() makes it return without, and the load is then held
 *     GATED_ANSWER  ends at once, inside the call: the value is "KEY#N" with N the number of calls of this key so far
 *
 * Allocates nothing after gated_loader_create(). Any thread.
 */
#ifndef TESTS_GATED_LOADER_H
#define TESTS_GATED_LOADER_H

#include <sluice/cache.h>

enum gated_mode { GATED_HOLD, GATED_BLOCK, GATED_ANSWER };

/* The ways a load can end, and the error that its waiters are given. */
enum ending { ENDING_VALUE, ENDING_NOT_FOUND, ENDING_FAILURE, ENDING_REFUSAL, ENDING_TIME_OUT, ENDING_TOO_LARGE };

#define ENDINGS (ENDING_TOO_LARGE + 1)

enum sluice_error ending_error(enum ending ending);

/* What the waiters are given of `text`: all of it, or NULL where nothing is found. */
const char *ending_text(enum ending ending, const char *text);

/* Calls of load_many whose sizes are known. */
#define GATED_BATCHES_MAX 64

/* Calls that one loader can take before it ends the process. */
#define GATED_CALLS_MAX 16384

struct gated_loader;

struct gated_loader *gated_loader_create(void);

/* Every load must be ended, and the caches that use it destroyed. */
void gated_loader_destroy(struct gated_loader *loader);

/* As an option of a cache; it counts what it is told to be unwanted. */
struct sluice_loader gated_loader_option(struct gated_loader *loader);

/* Likewise, one that takes several loads in a call. */
struct sluice_loader gated_loader_option_many(struct gated_loader *loader);

/* Calls of load_many so far, and how many loads call `number` of those had. */
size_t gated_loader_batches(struct gated_loader *loader);
size_t gated_loader_batch_size(struct gated_loader *loader, size_t number);

void gated_loader_set_mode(struct gated_loader *loader, enum gated_mode mode);

/* Times that it was told of an unwanted load. */
size_t gated_loader_unwanted(struct gated_loader *loader);

/* Calls so far: of one key (told apart by their first 64 bytes and their size), and in all. */
size_t gated_loader_calls(struct gated_loader *loader, const char *key);
size_t gated_loader_calls_in_all(struct gated_loader *loader);

/* Waits until `count` calls have been made in all; fails the test if they are not in time. */
void gated_loader_await_calls(struct gated_loader *loader, size_t count);

/*
 * Ends call `number`, waiting for it to be made first. `text` is the value or the reason; NULL: none. Returns once the
 * load has been ended; ends the process if it can't be.
 */
void gated_loader_end(struct gated_loader *loader, size_t number, enum ending ending, const char *text);

/* As gated_loader_end() with a value that is described in full. */
void gated_loader_end_with(struct gated_loader *loader, size_t number, const struct sluice_content *content);

/* As gated_loader_end() with sluice_load_not_modified(), for a call that is held. */
void gated_loader_renew(struct gated_loader *loader, size_t number, int64_t ttl_ms, int64_t refresh_ms);

/* Makes call `number`, held by GATED_BLOCK, go back to the cache without ending its load, which is held from then on.
 * Waits for the call to be made first.
 */
void gated_loader_let_return(struct gated_loader *loader, size_t number);

/* The handle of a call that has not been ended. Waits for it to be made first. */
struct sluice_load *gated_loader_load(struct gated_loader *loader, size_t number);

/* Whether the load can still be given to anybody: sluice_load_wanted(), for a call that has not been ended. Waits for
 * it to be made first. */
bool gated_loader_wanted(struct gated_loader *loader, size_t number);

/* sluice_load_old_value() of a call that has not been ended. Waits for it to be made first. */
struct sluice_value *gated_loader_old_value(struct gated_loader *loader, size_t number);

/* Copies the key of a call that has not been ended, as its load tells it; returns its size. Waits for it to be
 * made first. */
size_t gated_loader_key(struct gated_loader *loader, size_t number, char *key, size_t room);

/* Ends with not-found whatever has not been ended, and answers at once from now on. */
void gated_loader_open(struct gated_loader *loader);

/* Likewise all loaders that there are. */
void gated_loader_open_all(void);

#endif
