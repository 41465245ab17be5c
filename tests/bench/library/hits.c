/* SPDX-License-Identifier: MIT */
/*
 * hits.c: looks up keys that are all there, again and again: one side of tests/bench/library-hits.
 *
 *     library_hits SIDE KEYS ROOM EXPIRE_MS SEQUENCE
 *     library_hits --list
 *
 * Fills the side with KEYS keys, says "ready", and plays a round for each line with a number of threads on its input:
 * each thread looks up the whole sequence, beginning at another place of it. Answers with a line
 * "operations=N wall_ns=N", the time from when the first thread began to when the last one ended.
 */
#include "hits.h"

#include "../measure.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS_MAX = 64 };

struct player {
    const struct hits_side *side;
    void *self;
    const char *keys;
    struct sequence sequence;
    uint64_t sum; /* that one pass over the sequence must give */
    pthread_barrier_t start;
};

struct runner {
    struct player *player;
    size_t offset;
    pthread_t thread;
    uint64_t sum;
    int64_t began_ns;
    int64_t ended_ns;
};

static const struct hits_side *const lists[] = {hits_sides_sluice, hits_sides_uthash};

static void list_sides(void)
{
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        for (const struct hits_side *side = lists[i]; side->name != NULL; side++)
            printf("%s\t%u\t%s\n", side->name, side->threads_max, side->words);
    }
}

static const struct hits_side *side_named(const char *name)
{
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        for (const struct hits_side *side = lists[i]; side->name != NULL; side++) {
            if (strcmp(side->name, name) == 0)
                return side;
        }
    }
    fprintf(stderr, "there is no side '%s'; see --list\n", name);
    exit(2);
}

static void *run(void *arg)
{
    struct runner *runner = arg;
    const struct player *player = runner->player;
    const struct sequence *sequence = &player->sequence;

    pthread_barrier_wait(&runner->player->start);
    runner->began_ns = measure_now_ns();
    runner->sum = player->side->run(player->self, player->keys, sequence->numbers + runner->offset,
                                    sequence->count - runner->offset);
    runner->sum += player->side->run(player->self, player->keys, sequence->numbers, runner->offset);
    runner->ended_ns = measure_now_ns();
    return NULL;
}

static void must(int error, const char *what)
{
    if (error != 0) {
        fprintf(stderr, "%s: %s\n", what, strerror(error));
        exit(1);
    }
}

/* All lookups were hits on the right values, by their bytes and by the side's own count. */
static void check_round(const struct player *player, const struct runner *runners, unsigned threads, uint64_t hits)
{
    for (unsigned i = 0; i < threads; i++) {
        if (runners[i].sum != player->sum) {
            fprintf(stderr, "%s gave wrong values\n", player->side->name);
            exit(1);
        }
    }
    if (hits != 0 && hits != threads * player->sequence.count) {
        fprintf(stderr, "%s counts %llu hits\n", player->side->name, (unsigned long long)hits);
        exit(1);
    }
}

static void play_round(struct player *player, unsigned threads)
{
    struct runner runners[THREADS_MAX];
    uint64_t hits = player->side->hits(player->self);

    pthread_barrier_init(&player->start, NULL, threads);
    for (unsigned i = 0; i < threads; i++) {
        runners[i] = (struct runner){.player = player, .offset = player->sequence.count / threads * i};
        must(pthread_create(&runners[i].thread, NULL, run, &runners[i]), "cannot start a thread");
    }
    for (unsigned i = 0; i < threads; i++)
        must(pthread_join(runners[i].thread, NULL), "cannot join a thread");
    pthread_barrier_destroy(&player->start);
    check_round(player, runners, threads, player->side->hits(player->self) - hits);

    int64_t began_ns = runners[0].began_ns;
    int64_t ended_ns = runners[0].ended_ns;

    for (unsigned i = 1; i < threads; i++) {
        began_ns = runners[i].began_ns < began_ns ? runners[i].began_ns : began_ns;
        ended_ns = runners[i].ended_ns > ended_ns ? runners[i].ended_ns : ended_ns;
    }
    printf("operations=%zu wall_ns=%lld\n", threads * player->sequence.count, (long long)(ended_ns - began_ns));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        list_sides();
        return 0;
    }
    if (argc != 6) {
        fprintf(stderr, "usage: %s SIDE KEYS ROOM EXPIRE_MS SEQUENCE | --list\n", argv[0]);
        return 2;
    }
    struct player player = {.side = side_named(argv[1])};
    struct hits_stock stock = {.count = (size_t)measure_option_number("KEYS", argv[2], 1, 1L << 28)};
    char line[16];

    stock.room = (size_t)measure_option_number("ROOM", argv[3], (long)stock.count, 1L << 30);
    stock.expire_ms = measure_option_number("EXPIRE_MS", argv[4], -1, 1L << 40);
    stock.keys = player.keys = keys_create(stock.count);
    player.sequence = sequence_open(argv[5], stock.count);
    for (size_t i = 0; i < player.sequence.count; i++)
        player.sum += player.sequence.numbers[i] & 127;
    player.self = player.side->create(&stock);
    printf("ready\n");
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        play_round(&player, (unsigned)measure_option_number("a round", line, 1, player.side->threads_max));
    }
    player.side->destroy(player.self);
    free((void *)(uintptr_t)player.keys);
    return 0;
}
