/* SPDX-License-Identifier: MIT */
/*
 * blocking.c: the blocking way to wait. Eight threads ask for one key at once; one of them leads and runs the loader,
 * the others park on its load, and the slow backend is called once.
 *
 *     cc blocking.c $(pkg-config --cflags --libs sluice) -pthread
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sluice/cache.h>

#define READERS 8

/* A loader reads the key and ends the load, here before it returns. `self` is what the options gave it. */
static void load_user(void *self, struct sluice_load *load)
{
    const struct timespec *delay = self;
    struct sluice_content content = SLUICE_CONTENT_INIT;
    char text[64];

    nanosleep(delay, NULL); /* a backend that takes its time */
    if (memcmp(sluice_load_key(load), "0", 1) == 0) {
        sluice_load_not_found(load);
        return;
    }
    snprintf(text, sizeof text, "user number %.*s", (int)sluice_load_key_size(load),
             (const char *)sluice_load_key(load));
    content.data = text;
    content.size = strlen(text);
    content.content_type = "text/plain";
    sluice_load_complete(load, &content);
}

static void *read_user(void *arg)
{
    struct sluice_cache *users = arg;
    struct sluice_value *user;
    enum sluice_error error = sluice_get(users, "42", 2, SLUICE_WAIT_FOREVER, &user);

    if (error) {
        fprintf(stderr, "user 42: %s\n", sluice_strerror(error));
        exit(EXIT_FAILURE);
    }
    printf("%s\n", (const char *)sluice_value_data(user));
    sluice_value_unref(user);
    return NULL;
}

int main(void)
{
    struct timespec delay = {.tv_nsec = 100000000};
    struct sluice_options options = SLUICE_OPTIONS_INIT;
    struct sluice_stats stats;
    struct sluice_cache *users;
    struct sluice_value *nobody;
    pthread_t readers[READERS];
    enum sluice_error error;

    options.maximum_weight = 64 << 20;
    options.expire_after_write_ms = 10 * 60 * 1000;
    options.loader = (struct sluice_loader){.load = load_user, .self = &delay};
    error = sluice_cache_create(&options, &users);
    if (error) {
        fprintf(stderr, "no cache: %s\n", sluice_strerror(error));
        return EXIT_FAILURE;
    }

    for (int i = 0; i < READERS; i++) {
        if (pthread_create(&readers[i], NULL, read_user, users)) {
            fprintf(stderr, "no thread\n");
            return EXIT_FAILURE;
        }
    }
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);

    error = sluice_get(users, "0", 1, SLUICE_WAIT_FOREVER, &nobody);
    printf("user 0: %s\n", sluice_strerror(error));

    sluice_cache_stats(users, &stats);
    printf("%" PRIu64 " gets, %" PRIu64 " loads\n", stats.gets, stats.loads);
    sluice_cache_destroy(users);
    return EXIT_SUCCESS;
}
