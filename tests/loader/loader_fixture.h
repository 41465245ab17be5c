/* SPDX-License-Identifier: MIT */
/*
 * loader_fixture.h: a directory, a cache in front of one backend, gets and what came of them. For the tests of backends
 * that work on real things: files, databases, servers. Each has a fixture of its own with this one inside.
 *
 * The functions assert: for the thread that runs the tests.
 */
#ifndef TESTS_LOADER_LOADER_FIXTURE_H
#define TESTS_LOADER_LOADER_FIXTURE_H

#include "await.h"
#include "backend.h"
#include "scratch.h"
#include "test.h"

#include <sluice/cache.h>
#include <stdatomic.h>
#include <stdbool.h>

#define LOADER_CALLS_MAX 64
#define LOADER_PATH_MAX  SCRATCH_PATH_MAX

/* An asynchronous get. */
struct loader_call {
    atomic_bool done;
    struct sluice_outcome outcome; /* once done */
};

struct loader_fixture {
    struct scratch scratch;              /* everybody may enter and read it */
    struct sluice_options cache_options; /* to be changed before loader_fixture_open() */
    struct backend backend;              /* the test makes it; kind NULL: there is none */
    struct sluice_cache *cache;
    struct sluice_outcome outcome; /* of the latest blocking get */
    struct loader_call calls[LOADER_CALLS_MAX];
    size_t calls_count;
};

/* Makes the directory; the fixture is zero before. */
void loader_fixture_init(struct loader_fixture *fixture);

/* Closes what is open, checks that every call was answered, removes the directory. */
void loader_fixture_fini(struct loader_fixture *fixture);

/* Makes the cache in front of the backend. */
void loader_fixture_open(struct loader_fixture *fixture);

/* Ends backend and cache in the midst of a test, and checks the cache's sums. */
void loader_fixture_close(struct loader_fixture *fixture);

/* The backend is destroyed while the cache is still open: those who wait see how their loads end. */
void loader_fixture_close_backend_first(struct loader_fixture *fixture);

/* A blocking get; its outcome is in the fixture until the next one. */
enum sluice_error loader_get(struct loader_fixture *fixture, const void *key, size_t key_size);

/* A blocking get that must bring this text; these bytes; no value, with these words in its reason (NULL: any). */
void loader_expect(struct loader_fixture *fixture, const char *key, const char *text);
void loader_expect_bytes(struct loader_fixture *fixture, const void *key, size_t key_size, const void *bytes,
                         size_t size);
void loader_expect_error(struct loader_fixture *fixture, const char *key, enum sluice_error error, const char *words);

/* Forgets what the cache has of it, so that the next get loads. */
void loader_forget(struct loader_fixture *fixture, const char *key);

/* Begins a get that may park; waits for its end, as loader_expect() and loader_expect_error() do. */
struct loader_call *loader_begin(struct loader_fixture *fixture, const char *key);
void loader_await(struct loader_call *call, enum sluice_error error, const char *text);

struct backend_stats loader_stats(struct loader_fixture *fixture);

/* The path of a name in the directory. */
void loader_path(const struct loader_fixture *fixture, const char *name, char path[LOADER_PATH_MAX]);

/* Writes a file there, which is made if it is not there; everybody may read it. */
void loader_write(const struct loader_fixture *fixture, const char *name, const void *bytes, size_t size);
void loader_write_text(const struct loader_fixture *fixture, const char *name, const char *text);

/* Makes a directory there. */
void loader_make_directory(const struct loader_fixture *fixture, const char *name);

/*
 * From now on this thread, and those that it starts, may open nothing that not everybody may; or, with false, what they
 * might before. For tests that are run by root, too.
 */
void loader_be_nobody(bool nobody);

#endif
