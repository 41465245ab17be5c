/* SPDX-License-Identifier: MIT */
/*
 * zipf.c: writes a sequence of key numbers to a file, for all sides of a comparison to play.
 *
 *     library_zipf KEYS COUNT SKEW FILE
 *
 * COUNT numbers under KEYS, 4 bytes each, lowest byte first. The key of rank r (from 1) is asked for with a probability
 * in proportion to 1 / r^SKEW, exactly, and drawn by looking up a random number in the sums of these. Which key has
 * which rank is drawn too, so that popular keys are not neighbours in anybody's memory. The same arguments give the
 * same file on every machine whose pow() rounds alike.
 */
#include "../measure.h"
#include "keys.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (memory == NULL) {
        fprintf(stderr, "no memory\n");
        exit(1);
    }
    return memory;
}

/* From 0 to just under 1, by the draw's number. */
static double random_share(uint64_t draw)
{
    return (double)(keys_mix(draw) >> 11) * 0x1p-53;
}

/* sums[r]: the share of the ranks 0 to r. */
static double *zipf_sums(size_t keys, double skew)
{
    double *sums = allocate(keys, sizeof(*sums));
    double sum = 0;

    for (size_t rank = 0; rank < keys; rank++) {
        sum += pow((double)(rank + 1), -skew);
        sums[rank] = sum;
    }
    for (size_t rank = 0; rank < keys; rank++)
        sums[rank] /= sum;
    return sums;
}

/* The first rank whose sum is over `share`. */
static size_t zipf_rank(const double *sums, size_t keys, double share)
{
    size_t low = 0;
    size_t high = keys - 1;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (sums[middle] > share)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static uint32_t *shuffled(size_t keys, uint64_t *draw)
{
    uint32_t *numbers = allocate(keys, sizeof(*numbers));

    for (size_t i = 0; i < keys; i++)
        numbers[i] = (uint32_t)i;
    for (size_t i = keys - 1; i > 0; i--) {
        size_t other = (size_t)(random_share((*draw)++) * (double)(i + 1));
        uint32_t moved = numbers[i];

        numbers[i] = numbers[other];
        numbers[other] = moved;
    }
    return numbers;
}

static double skew_of(const char *text)
{
    char *end;

    errno = 0;
    double skew = strtod(text, &end);

    if (errno != 0 || end == text || *end != '\0' || !(skew >= 0 && skew <= 10)) {
        fprintf(stderr, "SKEW is a number from 0 to 10, not '%s'\n", text);
        exit(2);
    }
    return skew;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: %s KEYS COUNT SKEW FILE\n", argv[0]);
        return 2;
    }
    size_t keys = (size_t)measure_option_number("KEYS", argv[1], 1, 1L << 30);
    size_t count = (size_t)measure_option_number("COUNT", argv[2], 1, 1L << 30);
    double *sums = zipf_sums(keys, skew_of(argv[3]));
    uint64_t draw = 1;
    uint32_t *numbers = shuffled(keys, &draw);
    uint32_t *sequence = allocate(count, sizeof(*sequence));

    for (size_t i = 0; i < count; i++)
        sequence[i] = numbers[zipf_rank(sums, keys, random_share(draw++))];

    FILE *file = fopen(argv[4], "we");
    int failed = file == NULL || fwrite(sequence, sizeof(*sequence), count, file) != count;

    failed |= file != NULL && fclose(file) != 0;
    if (failed)
        fprintf(stderr, "cannot write %s: %m\n", argv[4]);
    free(sequence);
    free(numbers);
    free(sums);
    return failed;
}
