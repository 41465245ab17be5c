/* SPDX-License-Identifier: MIT */
/* gated_loader.c: see gated_loader.h. One lock and one condition; the cache is never called with the lock held. */
#include "gated_loader.h"

#include "await.h"
#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define KEY_HEAD_MAX 64

/* How often one who waits looks whether the deadline, which may change, is over. */
#define LOOK_MS 10

/* Where a call stands. BLOCKED: its thread waits inside the loader; ENDING: somebody is about to end it. */
enum call_state { CALL_BLOCKED, CALL_HELD, CALL_ENDING, CALL_ENDED };

struct load_call {
    enum call_state state;
    struct sluice_load *load;
    char key_head[KEY_HEAD_MAX];
    size_t key_size;
    bool let_return; /* of a blocked one */
    bool told;       /* of a blocked one: how to end is known */
    enum ending ending;
    const char *text;
    const struct sluice_content *content; /* or NULL: made of text */
};

#define CALLS_BYTES (GATED_CALLS_MAX * sizeof(struct load_call))

struct gated_loader {
    struct gated_loader *next; /* under all_lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum gated_mode mode;
    size_t count;
    size_t unwanted;
    size_t batches;
    size_t batch_sizes[GATED_BATCHES_MAX];
    struct load_call *calls;
};

/* All that there are. Under their lock, which is recursive: what an opened one calls may come back to it. */
static struct gated_loader *all;
static pthread_mutex_t all_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

enum sluice_error ending_error(enum ending ending)
{
    switch (ending) {
    case ENDING_VALUE:
        return SLUICE_OK;
    case ENDING_NOT_FOUND:
        return SLUICE_NOT_FOUND;
    case ENDING_FAILURE:
        return SLUICE_LOAD_FAILED;
    case ENDING_REFUSAL:
        return SLUICE_LOAD_REFUSED;
    case ENDING_TIME_OUT:
        return SLUICE_LOAD_TIMED_OUT;
    case ENDING_TOO_LARGE:
        return SLUICE_VALUE_TOO_LARGE;
    }
    abort();
}

const char *ending_text(enum ending ending, const char *text)
{
    return ending == ENDING_NOT_FOUND ? NULL : text;
}

static void load_end(struct sluice_load *load, enum ending ending, const char *text,
                     const struct sluice_content *content)
{
    struct sluice_content made = SLUICE_CONTENT_INIT;
    switch (ending) {
    case ENDING_VALUE:
        if (content == NULL) {
            made.data = text;
            made.size = text == NULL ? 0 : strlen(text);
            content = &made;
        }
        sluice_load_complete(load, content);
        return;
    case ENDING_NOT_FOUND:
        sluice_load_not_found(load);
        return;
    case ENDING_FAILURE:
        sluice_load_fail(load, text);
        return;
    case ENDING_REFUSAL:
        sluice_load_refuse(load, text);
        return;
    case ENDING_TIME_OUT:
        sluice_load_time_out(load, text);
        return;
    case ENDING_TOO_LARGE:
        sluice_load_too_large(load, text);
        return;
    }
    abort();
}

static size_t head_size(size_t key_size)
{
    return key_size < KEY_HEAD_MAX ? key_size : KEY_HEAD_MAX;
}

static bool call_is_of(const struct load_call *call, const void *key, size_t key_size)
{
    return call->key_size == key_size && memcmp(call->key_head, key, head_size(key_size)) == 0;
}

static size_t calls_of(const struct gated_loader *loader, const void *key, size_t key_size)
{
    size_t found = 0;
    for (size_t i = 0; i < loader->count; i++)
        found += call_is_of(&loader->calls[i], key, key_size);
    return found;
}

/* With the lock: waits a while for a change. False: the deadline of await.h, counted from `start_ms`, is over. */
static bool changed_wait(struct gated_loader *loader, int64_t start_ms)
{
    int64_t end_ms = await_now_ms() + LOOK_MS;
    struct timespec end = {.tv_sec = end_ms / 1000, .tv_nsec = end_ms % 1000 * 1000000};
    return pthread_cond_timedwait(&loader->changed, &loader->lock, &end) == 0 ||
           await_now_ms() - start_ms < await_limit_ms();
}

/* With the lock: waits until call `number` has come. False: it has not in time. */
static bool call_await(struct gated_loader *loader, size_t number, int64_t start_ms)
{
    bool in_time = true;
    while (loader->count <= number && in_time)
        in_time = changed_wait(loader, start_ms);
    return loader->count > number;
}

/* With the lock, which is given up meanwhile: ends the load of a call on this thread. */
static void call_end(struct gated_loader *loader, struct load_call *call)
{
    struct sluice_load *load = call->load;
    enum ending ending = call->ending;
    const char *text = call->text;
    const struct sluice_content *content = call->content;

    call->state = CALL_ENDING;
    pthread_mutex_unlock(&loader->lock);
    load_end(load, ending, text, content);
    pthread_mutex_lock(&loader->lock);
    call->state = CALL_ENDED;
    pthread_cond_broadcast(&loader->changed);
}

static struct load_call *call_add(struct gated_loader *loader, struct sluice_load *load)
{
    if (loader->count == GATED_CALLS_MAX) {
        fputs("gated_loader: more calls than it was made for\n", stderr);
        abort();
    }
    struct load_call *call = &loader->calls[loader->count];
    call->state = loader->mode == GATED_BLOCK ? CALL_BLOCKED : CALL_HELD;
    call->load = load;
    call->key_size = sluice_load_key_size(load);
    memcpy(call->key_head, sluice_load_key(load), head_size(call->key_size));
    loader->count++;
    pthread_cond_broadcast(&loader->changed);
    return call;
}

/* With the lock: does what the mode says with a call that has been added. */
static void call_play(struct gated_loader *loader, struct load_call *call)
{
    char text[KEY_HEAD_MAX + 32];

    if (loader->mode == GATED_ANSWER && call->state == CALL_HELD) {
        snprintf(text, sizeof text, "%.*s#%zu", (int)head_size(call->key_size), call->key_head,
                 calls_of(loader, call->key_head, call->key_size));
        call->ending = ENDING_VALUE;
        call->text = text;
        call_end(loader, call);
    } else if (call->state == CALL_BLOCKED) {
        while (!call->told && !call->let_return)
            pthread_cond_wait(&loader->changed, &loader->lock);
        if (call->told) {
            call_end(loader, call);
        } else {
            call->state = CALL_HELD;
            pthread_cond_broadcast(&loader->changed);
        }
    }
}

static void load_gated(void *self, struct sluice_load *load)
{
    struct gated_loader *loader = self;

    pthread_mutex_lock(&loader->lock);
    call_play(loader, call_add(loader, load));
    pthread_mutex_unlock(&loader->lock);
}

/* The calls of one batch have numbers in a row; a blocked one is ended in their order. */
static void load_many_gated(void *self, struct sluice_load *const *loads, size_t count)
{
    struct gated_loader *loader = self;

    pthread_mutex_lock(&loader->lock);
    if (loader->batches < GATED_BATCHES_MAX)
        loader->batch_sizes[loader->batches] = count;
    loader->batches++;
    size_t first = loader->count;
    for (size_t i = 0; i < count; i++)
        call_add(loader, loads[i]);
    for (size_t i = 0; i < count; i++)
        call_play(loader, &loader->calls[first + i]);
    pthread_mutex_unlock(&loader->lock);
}

/* It must not have been ended, as far as this loader knows, and must be one that nobody wants. */
static void count_unwanted(void *self, struct sluice_load *load)
{
    struct gated_loader *loader = self;
    if (sluice_load_wanted(load)) {
        fputs("gated_loader: told of an unwanted load that is wanted\n", stderr);
        abort();
    }
    pthread_mutex_lock(&loader->lock);
    loader->unwanted++;
    pthread_mutex_unlock(&loader->lock);
}

struct gated_loader *gated_loader_create(void)
{
    struct gated_loader *loader = calloc(1, sizeof *loader);
    /* Zeroed, and there when it is touched: nearly all loaders have a few calls. */
    struct load_call *calls = mmap(NULL, CALLS_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_condattr_t attributes;
    if (loader == NULL || calls == MAP_FAILED)
        abort();
    loader->calls = calls;
    pthread_mutex_init(&loader->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&loader->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_lock(&all_lock);
    loader->next = all;
    all = loader;
    pthread_mutex_unlock(&all_lock);
    return loader;
}

void gated_loader_destroy(struct gated_loader *loader)
{
    pthread_mutex_lock(&all_lock);
    struct gated_loader **at = &all;
    while (*at != loader)
        at = &(*at)->next;
    *at = loader->next;
    pthread_mutex_unlock(&all_lock);
    pthread_cond_destroy(&loader->changed);
    pthread_mutex_destroy(&loader->lock);
    munmap(loader->calls, CALLS_BYTES);
    free(loader);
}

struct sluice_loader gated_loader_option(struct gated_loader *loader)
{
    return (struct sluice_loader){.load = load_gated, .self = loader, .unwanted = count_unwanted};
}

struct sluice_loader gated_loader_option_many(struct gated_loader *loader)
{
    struct sluice_loader option = gated_loader_option(loader);
    option.load_many = load_many_gated;
    return option;
}

size_t gated_loader_batches(struct gated_loader *loader)
{
    pthread_mutex_lock(&loader->lock);
    size_t batches = loader->batches;
    pthread_mutex_unlock(&loader->lock);
    return batches;
}

size_t gated_loader_batch_size(struct gated_loader *loader, size_t number)
{
    pthread_mutex_lock(&loader->lock);
    size_t size = number < loader->batches && number < GATED_BATCHES_MAX ? loader->batch_sizes[number] : 0;
    pthread_mutex_unlock(&loader->lock);
    return size;
}

void gated_loader_set_mode(struct gated_loader *loader, enum gated_mode mode)
{
    pthread_mutex_lock(&loader->lock);
    loader->mode = mode;
    pthread_mutex_unlock(&loader->lock);
}

size_t gated_loader_unwanted(struct gated_loader *loader)
{
    pthread_mutex_lock(&loader->lock);
    size_t unwanted = loader->unwanted;
    pthread_mutex_unlock(&loader->lock);
    return unwanted;
}

size_t gated_loader_calls(struct gated_loader *loader, const char *key)
{
    pthread_mutex_lock(&loader->lock);
    size_t found = calls_of(loader, key, strlen(key));
    pthread_mutex_unlock(&loader->lock);
    return found;
}

size_t gated_loader_calls_in_all(struct gated_loader *loader)
{
    pthread_mutex_lock(&loader->lock);
    size_t count = loader->count;
    pthread_mutex_unlock(&loader->lock);
    return count;
}

void gated_loader_await_calls(struct gated_loader *loader, size_t count)
{
    int64_t start_ms = await_now_ms();
    pthread_mutex_lock(&loader->lock);
    if (count > 0)
        (void)call_await(loader, count - 1, start_ms);
    size_t found = loader->count;
    pthread_mutex_unlock(&loader->lock);
    if (found < count)
        fail_msg("waited in vain for %zu calls of the loader: %zu have come", count, found);
}

/* The test is wrong or the cache hangs; an assertion would do, were it not that any thread may come here. */
static _Noreturn void give_up(const char *why, size_t number)
{
    fprintf(stderr, "gated_loader: call %zu %s\n", number, why);
    abort();
}

/* Tells call `number` how to end, and ends it here or waits until its own thread has. */
static void tell(struct gated_loader *loader, size_t number, enum ending ending, const char *text,
                 const struct sluice_content *content)
{
    int64_t start_ms = await_now_ms();

    pthread_mutex_lock(&loader->lock);
    bool in_time = call_await(loader, number, start_ms);
    struct load_call *call = &loader->calls[number];
    bool known = in_time && (call->state == CALL_HELD || (call->state == CALL_BLOCKED && !call->told));
    if (known) {
        call->ending = ending;
        call->text = text;
        call->content = content;
        call->told = true;
        if (call->state == CALL_HELD)
            call_end(loader, call);
        else
            pthread_cond_broadcast(&loader->changed);
        while (call->state != CALL_ENDED && in_time)
            in_time = changed_wait(loader, start_ms);
    }
    pthread_mutex_unlock(&loader->lock);
    if (!known || !in_time)
        give_up("can't be ended", number);
}

void gated_loader_end(struct gated_loader *loader, size_t number, enum ending ending, const char *text)
{
    tell(loader, number, ending, text, NULL);
}

void gated_loader_end_with(struct gated_loader *loader, size_t number, const struct sluice_content *content)
{
    tell(loader, number, ENDING_VALUE, NULL, content);
}

void gated_loader_renew(struct gated_loader *loader, size_t number, int64_t ttl_ms, int64_t refresh_ms)
{
    int64_t start_ms = await_now_ms();

    pthread_mutex_lock(&loader->lock);
    bool in_time = call_await(loader, number, start_ms);
    struct load_call *call = &loader->calls[number];
    if (!in_time || call->state != CALL_HELD)
        give_up("can't be renewed", number);
    call->state = CALL_ENDED;
    pthread_mutex_unlock(&loader->lock);
    sluice_load_not_modified(call->load, ttl_ms, refresh_ms);
}

void gated_loader_let_return(struct gated_loader *loader, size_t number)
{
    int64_t start_ms = await_now_ms();
    bool in_time;

    pthread_mutex_lock(&loader->lock);
    in_time = call_await(loader, number, start_ms);
    loader->calls[number].let_return = true;
    pthread_cond_broadcast(&loader->changed);
    while (loader->calls[number].state != CALL_HELD && in_time)
        in_time = changed_wait(loader, start_ms);
    pthread_mutex_unlock(&loader->lock);
    if (!in_time)
        give_up("does not return", number);
}

struct sluice_load *gated_loader_load(struct gated_loader *loader, size_t number)
{
    int64_t start_ms = await_now_ms();

    pthread_mutex_lock(&loader->lock);
    bool come = call_await(loader, number, start_ms);
    struct sluice_load *load = loader->calls[number].load;
    pthread_mutex_unlock(&loader->lock);
    if (!come)
        give_up("does not come", number);
    return load;
}

bool gated_loader_wanted(struct gated_loader *loader, size_t number)
{
    return sluice_load_wanted(gated_loader_load(loader, number));
}

struct sluice_value *gated_loader_old_value(struct gated_loader *loader, size_t number)
{
    return sluice_load_old_value(gated_loader_load(loader, number));
}

size_t gated_loader_key(struct gated_loader *loader, size_t number, char *key, size_t room)
{
    struct sluice_load *load = gated_loader_load(loader, number);
    size_t size = sluice_load_key_size(load);
    memcpy(key, sluice_load_key(load), size < room ? size : room);
    return size;
}

void gated_loader_open(struct gated_loader *loader)
{
    pthread_mutex_lock(&loader->lock);
    loader->mode = GATED_ANSWER;
    for (size_t i = 0; i < loader->count; i++) {
        struct load_call *call = &loader->calls[i];
        if (call->state == CALL_BLOCKED && !call->told && !call->let_return) {
            call->ending = ENDING_NOT_FOUND;
            call->told = true;
            pthread_cond_broadcast(&loader->changed);
        } else if (call->state == CALL_HELD) {
            call->ending = ENDING_NOT_FOUND;
            call_end(loader, call);
        }
    }
    pthread_mutex_unlock(&loader->lock);
}

void gated_loader_open_all(void)
{
    pthread_mutex_lock(&all_lock);
    for (struct gated_loader *loader = all; loader != NULL; loader = loader->next)
        gated_loader_open(loader);
    pthread_mutex_unlock(&all_lock);
}
